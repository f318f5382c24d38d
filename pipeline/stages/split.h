/* split, inside: what its files share.
 *
 * split.c has the options and the plan, split_record.c what becomes of a record, and one file each how records are found:
 * by a delimiter (split_delimited.c), by a prefix, a size or quotes (split_scanned.c), or by their first line
 * (split_start.c).
 */
#pragma once

#include "pipeline/flow/matcher.h"
#include "pipeline/flow/remainder.h"
#include "pipeline/flow/scan.h"
#include "pipeline/node.h"
#include "pipeline/search/line_judge.h"

enum { SPLIT_JUDGED = 4096 /* bytes of a line that are looked at */ };

enum split_on {
	ON_NEWLINE,
	ON_DELIMITER,
	ON_NUL,
	ON_LENGTH,
	ON_VARINT,
	ON_OCTETS,
	ON_NETSTRING,
	ON_FIXED,
	ON_CSV,
	ON_START
};
enum split_too_long { TRUNCATE, DROP, SPLIT };
enum split_unterminated { KEEP, COMPLETE, OMIT };

/* What becomes of the record that a stream is in. REFUSED: of all that the stream still brings. */
enum split_mode { COLLECT, PASS_OVER, PASS_OVER_TRUNCATED, REFUSED };

struct split_stream {
	uint64_t begun;   /* bytes since the record's start */
	uint32_t matched; /* bytes of the delimiter that the stream ends with */
	uint32_t flags;   /* VIEW_END, VIEW_BROKEN: what is due behind the remainder */
	enum split_mode mode;
	bool terminated; /* the remainder ends with the delimiter */
	union {
		struct scan scan; /* prefixes, sizes, quotes */
		struct {          /* records that begin at lines */
			uint64_t spoke;
			uint32_t older, newer; /* in the list of those that hold something */
			uint32_t
				line; /* bytes that the remainder ends with of a line that is not judged */
			uint8_t last; /* enum line_class: the stream's last line */
			bool judged;  /* the stream is within a line that belongs to the record */
			bool passing; /* the record is passed over; the remainder is the line alone */
			bool listed;
		};
	};
};

struct split {
	unsigned on;
	struct bytes delimiter;
	bool crlf;
	uint64_t bytes, size; /* of a prefix; of a record */
	unsigned order;
	bool includes_header;
	struct bytes start;
	unsigned preset;
	uint64_t flush_after;
	uint64_t max_record;
	unsigned too_long, unterminated;

	bool unterminated_set;
	uint64_t limit; /* max_record, or what the pool allows */
	struct framing framing;
	struct matcher matcher;
	bool (*take)(struct node *node, struct batch *in, struct batch *out);
	struct split_stream *streams;
	uint32_t stream_count, most_views;
	uint32_t aside_own, aside_blocks; /* for its streams; with what drop branches may keep */
	struct remainders remainders;
	struct view *views; /* a record on its way out */
	bool pending;       /* a stream's remainder must be seen to before anything else is taken */
	uint32_t pending_stream;
	struct log_gate gate, cut_gate;

	struct line_judge *judge;
	struct node *node;
	char *line; /* SPLIT_JUDGED bytes, to look at one that is in pieces */
	uint32_t oldest, newest;
};

/* Takes the first view, or as much of it as one run or record is. False: out is full or a buffer is needed first. */
bool split_delimited(struct node *node, struct batch *in, struct batch *out);
bool split_scanned(struct node *node, struct batch *in, struct batch *out);
bool split_by_start(struct node *node, struct batch *in, struct batch *out);

/* Where records begin at lines: lets go what streams have held for too long. */
void split_flush(struct node *node, struct batch *out);

/* Puts the first `size` bytes of the remainder as one record, with the delimiter behind it where it is asked for. False:
 * out is full. */
bool split_put_remainder(struct node *node, struct batch *out, uint32_t number, uint64_t size,
	uint32_t tag, bool delimiter);

/* What becomes of a record of the stream that lacks its delimiter. */
enum split_unterminated split_unterminated_rule(const struct node *node, uint32_t number);

/* The stream is at a record's start. */
void split_begin_record(struct split_stream *stream);

/* Counts a record that is left out, and says so. */
void split_drop_record(struct node *node, enum drop_reason reason);

/* Counts a record that is cut to its limit, and says so. */
void split_cut_record(struct node *node);

/* Adds the first `size` bytes of the first view to its stream's remainder. False: a buffer is needed first. */
bool split_collect(struct node *node, const struct view *view, uint32_t size);

/* Takes `size` bytes off the batch; where that is all of the view, with what it says of its stream's end. */
void split_take(struct split *split, struct batch *in, uint32_t size);

/* The stream's remainder must be seen to. */
void split_look_at(struct split *split, uint32_t number);

/* Puts the remainder and the first `end` bytes of the view, `records` records. False: out is full. */
bool split_put_run(struct node *node, struct batch *in, struct batch *out, const struct view *view,
	uint32_t end, uint32_t records);

/* Sees to a stream's remainder: too long, terminated, or its stream ended. False: out is full. */
bool split_settle_pending(struct node *node, struct batch *out);

/* The same, where records begin at lines. */
bool split_settle_start(struct node *node, struct batch *out);
