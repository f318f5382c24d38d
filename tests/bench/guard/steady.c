/* A kernel that is the same in every run, as far as counting needs it: preloaded into the program whose instructions are
 * counted.
 *
 * By the machine's clock a turn would end after a millisecond, sooner or later by what else is running, and under valgrind
 * nearly at once. Here a microsecond passes each time that the clock is asked. And a read that must not wait may be
 * refused although all is in memory, and then takes another way; here none is.
 */

#include <sys/uio.h>
#include <time.h>

int clock_gettime(clockid_t clock, struct timespec *now)
{
	enum { START_S = 1000, STEP_NS = 1000, SECOND_NS = 1000 * 1000 * 1000 };
	static struct timespec passed = { .tv_sec = START_S };

	(void)clock;
	passed.tv_nsec += STEP_NS;
	if (passed.tv_nsec >= SECOND_NS) {
		passed.tv_nsec -= SECOND_NS;
		passed.tv_sec++;
	}
	*now = passed;
	return 0;
}

ssize_t preadv2(int fd, const struct iovec *pieces, int count, off_t offset, int flags)
{
	(void)flags;
	return offset < 0 ? readv(fd, pieces, count) : preadv(fd, pieces, count, offset);
}
