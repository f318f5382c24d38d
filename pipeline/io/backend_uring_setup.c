/* Sets a ring up. It is made disabled, restricted, then enabled: a ring walks round seccomp and
 * the unit's address families, so what nobody needs is refused by the kernel (EACCES), and so is
 * registering anything more. */

#include "pipeline/io/backend_uring.h"

#include "pipeline/io/backend.h"

#include <errno.h>

/* io_uring_register(2): liburing.so 2.3 has no functions for these two. */
enum { REGISTER_RESTRICTIONS = 11, REGISTER_ENABLE_RINGS = 12 };

/* The best first. What an older kernel does not know is EINVAL. */
static const unsigned flag_choices[] = {
	IORING_SETUP_SUBMIT_ALL | IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN,
	IORING_SETUP_SUBMIT_ALL | IORING_SETUP_COOP_TASKRUN,
	0,
};

static const uint8_t requests_in_use[] = {
	IORING_OP_POLL_ADD,
	IORING_OP_SENDMSG,
	IORING_OP_READV,
	IORING_OP_WRITEV,
	IORING_OP_FSYNC,
	IORING_OP_ASYNC_CANCEL,
};

enum { REQUEST_KINDS = sizeof(requests_in_use) / sizeof(requests_in_use[0]) };

static int create_ring(struct io_uring *ring)
{
	int answer = -EINVAL;

	for (size_t i = 0; i < sizeof(flag_choices) / sizeof(flag_choices[0]) && answer == -EINVAL;
		i++) {
		struct io_uring_params params = {
			.flags = flag_choices[i] | IORING_SETUP_R_DISABLED | IORING_SETUP_CQSIZE,
			.cq_entries = URING_COMPLETIONS,
		};

		answer = io_uring_queue_init_params(URING_REQUESTS, ring, &params);
	}
	return answer;
}

/* Of the requests' flags only IOSQE_ASYNC: links, draining, fixed files and buffer selection are
 * refused too. */
static int restrict_ring(const struct io_uring *ring)
{
	struct io_uring_restriction restrictions[REQUEST_KINDS + 1] = { 0 };

	for (size_t i = 0; i < REQUEST_KINDS; i++) {
		restrictions[i].opcode = IORING_RESTRICTION_SQE_OP;
		restrictions[i].sqe_op = requests_in_use[i];
	}
	restrictions[REQUEST_KINDS].opcode = IORING_RESTRICTION_SQE_FLAGS_ALLOWED;
	restrictions[REQUEST_KINDS].sqe_flags = IOSQE_ASYNC;
	return io_uring_register(
		(unsigned)ring->ring_fd, REGISTER_RESTRICTIONS, restrictions, REQUEST_KINDS + 1);
}

static int enable_ring(const struct io_uring *ring)
{
	return io_uring_register((unsigned)ring->ring_fd, REGISTER_ENABLE_RINGS, NULL, 0);
}

/* What the backend is built upon: bounded waits, completions that do not get lost, requests
 * taken when submitted. */
static bool has_features(const struct io_uring *ring)
{
	const unsigned needed =
		IORING_FEAT_EXT_ARG | IORING_FEAT_NODROP | IORING_FEAT_SUBMIT_STABLE;

	return (ring->features & needed) == needed;
}

bool backend_uring_set_up(struct io_uring *ring, const char **why)
{
	int answer = create_ring(ring);

	if (answer < 0) {
		*why = loop_reason("io_uring_setup", -answer);
		return false;
	}
	if (!has_features(ring)) {
		*why = "io_uring_setup: the kernel is too old";
		goto fail;
	}
	answer = restrict_ring(ring);
	if (answer == 0)
		answer = enable_ring(ring);
	if (answer == 0)
		return true;
	*why = loop_reason("io_uring_register", -answer);
fail:
	io_uring_queue_exit(ring);
	return false;
}
