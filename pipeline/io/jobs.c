/* Jobs: see the header. `private_data` of an operation points to its job. */

#include "pipeline/io/jobs.h"

#include "pipeline/io/attempt.h"
#include "pipeline/io/backend.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

struct job {
	uv_work_t work;
	struct jobs *jobs;
	struct io_operation *operation;
	enum operation_kind kind;
	int result;
	struct job *next; /* free */
};

static struct job *take(struct jobs *jobs)
{
	struct job *job = jobs->free;

	if (!job)
		return calloc(1, sizeof(*job));
	jobs->free = job->next;
	return job;
}

static void give_back(struct jobs *jobs, struct job *job)
{
	job->next = jobs->free;
	jobs->free = job;
}

void jobs_close(struct jobs *jobs)
{
	struct job *job;

	while ((job = jobs->free)) {
		jobs->free = job->next;
		free(job);
	}
}

/* On a thread. Nobody else touches what it reads of the operation until it is finished; `kind` may be flagged. */
static void work(uv_work_t *request)
{
	struct job *job = request->data;

	switch (job->kind) {
	case OPERATION_READ:
		job->result = attempt_read_blocking(job->operation);
		break;
	case OPERATION_WRITE:
		job->result = attempt_write_blocking(job->operation);
		break;
	default:
		assert(job->kind == OPERATION_SYNC);
		job->result = fdatasync(job->operation->fd) < 0 ? -errno : 0;
	}
}

static void finish(uv_work_t *request, int status)
{
	struct job *job = request->data;
	struct io_operation *operation = job->operation;
	int result = status == UV_ECANCELED ? -ECANCELED : job->result;

	operation->private_data = NULL;
	give_back(job->jobs, job);
	loop_finish(operation->loop, operation, result);
}

int jobs_start(struct jobs *jobs, struct loop *loop, struct io_operation *operation)
{
	struct job *job = take(jobs);
	int error;

	if (!job)
		return -ENOMEM;
	job->jobs = jobs;
	job->operation = operation;
	job->kind = operation_kind(operation);
	job->work.data = job;
	error = uv_queue_work(&loop->uv, &job->work, work, finish);
	assert(error == 0);
	operation->private_data = job;
	return 0;
}

void jobs_cancel(struct io_operation *operation)
{
	struct job *job = operation->private_data;
	int error = uv_cancel((uv_req_t *)&job->work);

	assert(error == 0 || error == UV_EBUSY);
}
