/* Attempts: see the header. */

#include "pipeline/io/attempt.h"

#include <errno.h>
#include <limits.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

static int result_of(ssize_t answer)
{
	return answer < 0 ? -errno : (int)answer;
}

int attempt_send(const struct io_operation *operation)
{
	const struct msghdr message = {
		.msg_iov = (struct iovec *)operation->pieces,
		.msg_iovlen = operation->piece_count,
	};
	int result;

	do
		result = result_of(sendmsg(operation->fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL));
	while (result == -EINTR);
	return result;
}

mode_t attempt_type(int fd)
{
	struct stat status;

	return fstat(fd, &status) == 0 ? status.st_mode & S_IFMT : 0;
}

static int write_pieces(const struct io_operation *operation, int flags)
{
	int count = (int)operation->piece_count;
	int result;

	do
		result = result_of(pwritev2(operation->fd, operation->pieces, count, -1, flags));
	while (result == -EINTR);
	return result;
}

static int read_pieces(const struct io_operation *operation, int flags)
{
	int count = (int)operation->piece_count;
	off_t offset = (off_t)operation->offset;
	int result;

	do
		result = result_of(preadv2(operation->fd, operation->pieces, count, offset, flags));
	while (result == -EINTR);
	return result;
}

int attempt_write(const struct io_operation *operation)
{
	switch (attempt_type(operation->fd)) {
	case S_IFSOCK:
		return attempt_send(operation);
	case S_IFREG:
		return -EOPNOTSUPP;
	default:
		return write_pieces(operation, RWF_NOWAIT);
	}
}

int attempt_read(const struct io_operation *operation)
{
	return read_pieces(operation, RWF_NOWAIT);
}

int attempt_read_blocking(const struct io_operation *operation)
{
	return read_pieces(operation, 0);
}

/* The pieces that are at most PIPE_BUF together, which is what POLLOUT promises of a pipe; a
 * part of the first if that is more. */
static int write_little(const struct io_operation *operation)
{
	const struct iovec *pieces = operation->pieces;
	size_t size = 0;
	int count = 0;

	while (count < (int)operation->piece_count && size + pieces[count].iov_len <= PIPE_BUF)
		size += pieces[count++].iov_len;
	if (count == 0 && operation->piece_count > 0)
		return result_of(write(operation->fd, pieces[0].iov_base, PIPE_BUF));
	return result_of(writev(operation->fd, pieces, count));
}

int attempt_write_file(const struct io_operation *operation)
{
	return write_pieces(operation, 0);
}

int attempt_write_blocking(const struct io_operation *operation)
{
	if (attempt_type(operation->fd) == S_IFREG)
		return attempt_write_file(operation);
	return write_little(operation);
}
