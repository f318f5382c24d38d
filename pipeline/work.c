/* Work that nodes give to other threads: libuv's pool. */

#include "pipeline/node.h"

#include "pipeline/io/loop.h"

#include <assert.h>
#include <stdlib.h>
#include <uv.h>

struct node_work {
	uv_work_t request;
	uv_async_t news; /* from the work that is in flight */
	bool has_news;   /* it is open */
	struct node *node;
	void (*work)(void *owner);
	void (*done)(void *owner, bool ran);
	void *owner;
	bool in_flight;
};

struct node_work *node_work_create(struct node *node, void (*work)(void *owner),
	void (*done)(void *owner, bool ran), void *owner)
{
	struct node_work *made = calloc(1, sizeof(*made));
	if (made)
		*made = (struct node_work){
			.node = node, .work = work, .done = done, .owner = owner
		};
	return made;
}

static void free_closed(uv_handle_t *news)
{
	free(news->data);
}

void node_work_destroy(struct node_work *work)
{
	assert(!work || !work->in_flight);
	if (work && work->has_news)
		uv_close((uv_handle_t *)&work->news, free_closed);
	else
		free(work);
}

static void on_news(uv_async_t *news)
{
	const struct node_work *work = news->data;
	node_wake(work->node);
}

static void open_news(struct node_work *work)
{
	int error = uv_async_init(loop_uv(work->node->loop), &work->news, on_news);
	assert(error == 0);
	work->news.data = work;
	work->has_news = true;
}

void node_work_tell(struct node_work *work)
{
	assert(work->has_news);
	uv_async_send(&work->news);
}

static void on_thread(uv_work_t *request)
{
	const struct node_work *work = request->data;
	work->work(work->owner);
}

static void on_loop(uv_work_t *request, int status)
{
	struct node_work *work = request->data;
	work->in_flight = false;
	work->node->busy--;
	work->done(work->owner, status == 0);
	node_wake(work->node);
}

void node_work_start(struct node_work *work)
{
	assert(!work->in_flight);
	if (!work->has_news)
		open_news(work);
	work->in_flight = true;
	work->node->busy++;
	work->request.data = work;
	int error = uv_queue_work(loop_uv(work->node->loop), &work->request, on_thread, on_loop);
	assert(error == 0);
}

void node_work_cancel(struct node_work *work)
{
	if (!work->in_flight)
		return;
	int error = uv_cancel((uv_req_t *)&work->request);
	assert(error == 0 || error == UV_EBUSY);
}
