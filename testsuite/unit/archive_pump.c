/* SPDX-License-Identifier: Apache-2.0
 * archive_pump - unit tests of core/archive/pump.h: nothing lost, nothing leaked, whoever is slow or leaves early
 */
#include "testsuite/unit/unit.h"

#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>
#include <zlib.h>

#include "core/archive/inflate.h"
#include "core/archive/pump.h"
#include "core/archive/tee.h"
#include "core/base/fd.h"
#include "core/base/thread.h"
#include "testsuite/unit/archive_kit.h"

static void make_gzip(struct buf *out, size_t len)
{
	char *text = malloc(len);

	for (size_t i = 0; i < len; i++)
		text[i] = (char)(i * i >> 7);
	size_t room = len + 1024;
	char *tmp = malloc(room);
	z_stream z = { .next_in = (uint8_t *)text, .avail_in = (uInt)len, .next_out = (uint8_t *)tmp, .avail_out = (uInt)room };
	CHECK(deflateInit2(&z, 1, Z_DEFLATED, 31, 8, Z_DEFAULT_STRATEGY) == Z_OK && deflate(&z, Z_FINISH) == Z_STREAM_END);
	buf_add(out, tmp, z.total_out);
	deflateEnd(&z);
	free(tmp);
	free(text);
}

/* the other consumer: what it saw, and how slow it is */
struct seen {
	uint64_t n, sum;
	bool     slow;
};

static uint64_t add(uint64_t sum, const uint8_t *p, size_t len)
{
	for (size_t i = 0; i < len; i++)
		sum = (sum ^ p[i]) * 0x100000001b3;
	return sum;
}

static void see(void *ctx, const uint8_t *p, size_t len)
{
	struct seen *s = ctx;

	s->n += len;
	s->sum = add(s->sum, p, len);
	if (s->slow)
		usleep(1000);
}

/* reads up to @stop blocks; the bytes seen, and the last result of next() in *r */
static size_t consume(const struct buf *z, size_t piece, size_t stop, bool slow, int *r, struct err *e)
{
	struct seen seen = { .slow = !slow };
	const struct pump_follower follower = { &seen, see };
	uint64_t sum = 0;
	auto_source struct source *in = inflate_open(kit_source(z->data, z->len, piece), e);
	const uint8_t *p;
	size_t len, at = 0, blocks = 0;

	auto_source struct source *s = pump_open(in, NULL, thread_processors(), &follower, e);
	*r = 1;
	while (blocks++ < stop && (*r = s->next(s, &p, &len, e)) > 0) {
		for (size_t i = 0; i < len; i++)
			if (p[i] != (uint8_t)((at + i) * (at + i) >> 7)) {
				CHECK(!"the right bytes");
				return at;
			}
		at += len;
		sum = add(sum, p, len);
		if (slow && blocks % 8 == 0)
			usleep(2000);
	}
	CHECK(pump_in_bytes(s) <= z->len);
	if (*r <= 0) {
		pump_finish(s);
		CHECK_INT(seen.n, at);
		CHECK(seen.sum == sum);
	}
	return at;
}

TEST(all_of_it, "pump: hands on everything, in order, and shows it to the follower")
{
	static const size_t lens[] = { 0, 1, 131072, 131073, 5000000 };
	struct err e;
	int r;

	for (size_t i = 0; i < sizeof(lens) / sizeof(*lens); i++)
		for (int slow = 0; slow < 2; slow++) {
			struct buf z = { 0 };
			make_gzip(&z, lens[i]);
			CHECK_INT(consume(&z, slow ? 1 << 20 : 100, SIZE_MAX, slow, &r, &e), lens[i]);
			CHECK_INT(r, 0);
			buf_free(&z);
		}
}

TEST(teed, "tee: everything below is seen once and in order, whoever does it")
{
	struct seen above = { .n = 0 }, below = { .n = 0 };
	const struct pump_follower follow_above = { &above, see }, follow_below = { &below, see };
	struct buf z = { 0 };
	const uint8_t *p;
	struct err e;
	size_t len, n = 0;
	int r;

	make_gzip(&z, 5000000);
	auto_close int fd = memfd_create("gz", MFD_CLOEXEC);
	REQUIRE(fd >= 0 && write(fd, z.data, z.len) == (ssize_t)z.len);
	for (int i = 0; i < 8; i++) {
		/* a slow follower above keeps the threads busy, a slow one below the ring full; a file's blocks are not copied */
		above = (struct seen){ .slow = i & 1 };
		below = (struct seen){ .slow = i & 2 };
		REQUIRE(lseek(fd, 0, SEEK_SET) == 0);
		struct source *raw = i & 4 ? source_fd(fd, &e) : kit_source(z.data, z.len, i ? 200000 : 1000);
		struct source *tee = tee_open(raw, &follow_below, &e);
		struct source *lent = source_lend(tee, &e);
		struct source *in = inflate_open(lent, &e);
		REQUIRE(lent->lag && *lent->lag == TEE_LAG);
		struct source *s = pump_open(in, lent, thread_processors(), &follow_above, &e);
		CHECK_INT(*lent->lag, PUMP_LAG);
		for (n = 0; (r = s->next(s, &p, &len, &e)) > 0;)
			n += len;
		s->close(s);
		CHECK_INT(r, 0);
		CHECK_INT(n, 5000000);
		CHECK_INT(tee_finish(tee, &e), 0);
		CHECK_INT(below.n, z.len);
		CHECK(below.sum == add(0, (uint8_t *)z.data, z.len));
		CHECK_INT(tee_bytes(tee), z.len);
		in->close(in); /* with what was lent */
		tee->close(tee);
		raw->close(raw);
	}
	/* what is behind the end of what was read is noticed */
	struct source *raw = kit_source(z.data, z.len, 1000);
	struct source *tee = tee_open(raw, &follow_below, &e);
	REQUIRE(tee->next(tee, &p, &len, &e) > 0);
	CHECK(tee_finish(tee, &e) < 0 && e.code == EBADMSG);
	tee->close(tee);
	raw->close(raw);
	buf_free(&z);
}

TEST(early, "pump: may be left at any block")
{
	struct buf z = { 0 };
	struct err e;
	int r;

	make_gzip(&z, 3000000);
	for (size_t stop = 0; stop < 25; stop++)
		consume(&z, 4096, stop, false, &r, &e);
	buf_free(&z);
}

TEST(errors, "pump: an error comes when everything before it was handed on")
{
	struct buf z = { 0 };
	struct err e;
	int r;

	make_gzip(&z, 3000000);
	z.len -= 4;
	/* what the decoder had of its last block is lost with it */
	size_t n = consume(&z, 4096, SIZE_MAX, true, &r, &e);
	CHECK(n >= 3000000 - 131072 && n <= 3000000);
	CHECK_INT(r, -1);
	CHECK_INT(e.code, EBADMSG);
	CHECK_HAS(e.msg, "gzip: at compressed byte");
	buf_free(&z);
}

UNIT_MAIN(all_of_it, teed, early, errors)
