/* SPDX-License-Identifier: Apache-2.0
 * request - strict HTTP/1.1 requests to the metadata service, and their replies
 *
 * A request is taken whole from a bounded buffer: request line and fields at most MDS_HEAD_MAX bytes, a body of at most
 * MDS_BODY_MAX, told by Content-Length alone. What is not exactly as RFC 9112 has it is refused, never guessed at.
 * Source: RFC 9110, RFC 9112.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "core/base/buf.h"
#include "core/base/err.h"

#define MDS_HEAD_MAX 8192
#define MDS_BODY_MAX (1u << 20)

enum mds_method { MDS_GET, MDS_HEAD, MDS_POST, MDS_PUT, MDS_DELETE };

struct mds_request {
	enum mds_method method;
	const char     *path;  /* NUL-terminated, decoded nowhere: our paths need no percent-encoding; borrowed */
	const char     *body;  /* borrowed */
	size_t          body_len;
	bool            form;  /* Content-Type: application/x-www-form-urlencoded */
	bool            keep;  /* the connection stays open */
};

enum mds_parse { MDS_MORE, MDS_WHOLE, MDS_BAD };
/**
 * mds_request_parse() - @data of @len bytes from a connection; writes into them when the request is whole
 * MDS_WHOLE: *out is filled and *used bytes belong to it. MDS_BAD: *status is the reply's (400, 411, 413, 414, 417, 431,
 * 501, 505), after which the connection ends. MDS_MORE: read on; that there is never more than MDS_HEAD_MAX +
 * MDS_BODY_MAX of.
 */
enum mds_parse mds_request_parse(char *data, size_t len, struct mds_request *out, size_t *used, int *status);

/** mds_form_get() - one field of a form, decoded, NUL-terminated; NULL: not there, twice, or malformed; free() it */
char *mds_form_get(const struct mds_request *r, const char *field, size_t *len);

struct mds_reply {
	int         status;
	const char *type;  /* NULL: MDS_TEXT */
	const char *allow; /* of 405: the methods there are */
	struct buf  body;  /* empty, of an error: its name is sent */
};
#define MDS_TEXT "text/plain; charset=us-ascii"
#define MDS_JSON "application/json"
/** mds_reply_write() - head and body, ready to be sent; @head_only: to HEAD */
void mds_reply_write(const struct mds_reply *r, bool keep, bool head_only, struct buf *out);
