/* Lists of operations, linked through the operations themselves: nothing is allocated, each step
 * takes O(1). */
#pragma once

#include "pipeline/io/loop.h"

struct operation_list {
	struct io_operation *first, *last;
	uint32_t count;
};

static inline void operation_list_append(
	struct operation_list *list, struct io_operation *operation)
{
	operation->previous = list->last;
	operation->next = NULL;
	if (list->last)
		list->last->next = operation;
	else
		list->first = operation;
	list->last = operation;
	list->count++;
}

static inline void operation_list_remove(
	struct operation_list *list, struct io_operation *operation)
{
	if (operation->previous)
		operation->previous->next = operation->next;
	else
		list->first = operation->next;
	if (operation->next)
		operation->next->previous = operation->previous;
	else
		list->last = operation->previous;
	list->count--;
}

/* The first, taken out; NULL if the list is empty. */
static inline struct io_operation *operation_list_take(struct operation_list *list)
{
	struct io_operation *operation = list->first;

	if (operation)
		operation_list_remove(list, operation);
	return operation;
}
