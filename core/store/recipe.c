/* SPDX-License-Identifier: Apache-2.0
 * recipe - see recipe.h
 */
#include "core/store/recipe.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "core/base/fd.h"
#include "core/base/hash.h"
#include "core/store/deps.h"
#include "core/store/internal.h"

#define HEAD "rktbox recipe 1\n"
#define PASS "pass"
#define TEXT_MAX (RECIPE_PASSES_MAX * (size_t)(sizeof(PASS) + (DEPS_DEPTH_MAX + 2) * (IMAGE_ID_LEN + 1)))

bool render_id_ok(const char *s)
{
	size_t n = strlen(RENDER_DEPS_PREFIX);

	return store_is_id(strncmp(s, RENDER_DEPS_PREFIX, n) ? s : s + n);
}

bool render_id_is_image(const struct render_id *id)
{
	return store_is_id(id->s);
}

void render_id_set(struct render_id *id, const char *s)
{
	snprintf(id->s, sizeof(id->s), "%s", s);
}

void recipe_free(struct recipe *r)
{
	for (size_t i = 0; r->passes && i < r->n_passes; i++)
		free(r->passes[i].filters);
	free(r->passes);
	free(r->images);
	*r = (struct recipe){ 0 };
}

/* ---- writing ---- */

void recipe_begin(struct buf *text)
{
	buf_str(text, HEAD);
}

void recipe_add(struct buf *text, const struct image_id *image, const struct image_id *const *filters, size_t n)
{
	buf_fmt(text, PASS " %s", image->s);
	for (size_t i = 0; i < n; i++)
		buf_fmt(text, " %s", filters[i]->s);
	buf_str(text, "\n");
}

/* ---- reading ---- */

struct reader {
	const char    *p, *end;
	struct recipe *r;
};

static int damaged(struct err *e)
{
	return err_set(e, EBADMSG, "the recipe is damaged");
}

static bool read_word(struct reader *rd, const char *word)
{
	size_t n = strlen(word);

	if ((size_t)(rd->end - rd->p) < n || memcmp(rd->p, word, n))
		return false;
	rd->p += n;
	return true;
}

/* " sha512-..." */
static bool read_id(struct reader *rd, struct image_id *id)
{
	if ((size_t)(rd->end - rd->p) < 1 + IMAGE_ID_LEN || *rd->p != ' ')
		return false;
	memcpy(id->s, rd->p + 1, IMAGE_ID_LEN);
	id->s[IMAGE_ID_LEN] = 0;
	rd->p += 1 + IMAGE_ID_LEN;
	return store_is_id(id->s);
}

static int find_image(const struct recipe *r, const struct image_id *id)
{
	for (size_t i = 0; i < r->n_images; i++)
		if (!strcmp(r->images[i].s, id->s))
			return (int)i;
	return -1;
}

/* a pass without its filters, which are images of later passes */
static int read_pass(struct reader *rd, struct err *e)
{
	struct recipe *r = rd->r;
	struct image_id id;

	if (!read_word(rd, PASS) || !read_id(rd, &id))
		return damaged(e);
	if (r->n_passes == RECIPE_PASSES_MAX)
		return err_set(e, E2BIG, "more than %d archives would have to be read", RECIPE_PASSES_MAX);
	int at = find_image(r, &id);
	if (at < 0 && r->n_images == RECIPE_IMAGES_MAX)
		return err_set(e, E2BIG, "more than %d images", RECIPE_IMAGES_MAX);
	if (at < 0) {
		at = (int)r->n_images++;
		r->images[at] = id;
	}
	r->passes[r->n_passes++] = (struct recipe_pass){ .source = (uint16_t)at };
	while (rd->p < rd->end && *rd->p == ' ')
		if (!read_id(rd, &id))
			return damaged(e);
	return read_word(rd, "\n") ? 0 : damaged(e);
}

static int read_filters(struct reader *rd, struct recipe_pass *pass, struct err *e)
{
	struct image_id id;

	if (!read_word(rd, PASS) || !read_id(rd, &id))
		return damaged(e);
	const char *eol = memchr(rd->p, '\n', (size_t)(rd->end - rd->p));
	size_t n = (size_t)(eol - rd->p) / (IMAGE_ID_LEN + 1);
	pass->filters = calloc(n + 1, sizeof(*pass->filters));
	if (!pass->filters)
		return err_set(e, ENOMEM, "read a recipe: out of memory");
	while (pass->n_filters < n) {
		int at = read_id(rd, &id) ? find_image(rd->r, &id) : -1;
		if (at < 0)
			return damaged(e);
		pass->filters[pass->n_filters++] = (uint16_t)at;
	}
	return read_word(rd, "\n") ? 0 : damaged(e);
}

static int read_all(const char *text, size_t len, struct recipe *r, struct err *e)
{
	struct reader rd = { .p = text, .end = text + len, .r = r };

	if (!read_word(&rd, HEAD) || rd.p == rd.end)
		return damaged(e);
	const char *first = rd.p;
	while (rd.p < rd.end)
		if (read_pass(&rd, e) < 0)
			return -1;
	rd.p = first;
	for (size_t i = 0; i < r->n_passes; i++)
		if (read_filters(&rd, &r->passes[i], e) < 0)
			return -1;
	return 0;
}

static int text_id(const char *text, size_t len, struct render_id *id, struct err *e)
{
	uint8_t digest[HASH_SHA512_LEN];
	char hex[HASH_SHA512_HEX + 1];
	struct hash *h = hash_new(e);

	if (!h)
		return -1;
	hash_feed(h, text, len);
	hash_final(h, digest);
	hash_hex(digest, sizeof(digest), hex);
	snprintf(id->s, sizeof(id->s), RENDER_DEPS_PREFIX IMAGE_ID_PREFIX "%s", hex);
	return 0;
}

static int make_room(struct recipe *r, size_t n_images, size_t n_passes, struct err *e)
{
	*r = (struct recipe){ .images = calloc(n_images, sizeof(*r->images)),
			      .passes = calloc(n_passes, sizeof(*r->passes)) };
	if (r->images && r->passes)
		return 0;
	recipe_free(r);
	return err_set(e, ENOMEM, "read a recipe: out of memory");
}

int recipe_parse(const char *text, size_t len, struct recipe *out, struct err *e)
{
	if (make_room(out, RECIPE_IMAGES_MAX, RECIPE_PASSES_MAX, e) < 0)
		return -1;
	if (text_id(text, len, &out->id, e) == 0 && read_all(text, len, out, e) == 0)
		return 0;
	recipe_free(out);
	return -1;
}

int recipe_single(const struct image_id *id, struct recipe *out, struct err *e)
{
	if (make_room(out, 1, 1, e) < 0)
		return -1;
	render_id_set(&out->id, id->s);
	out->images[out->n_images++] = *id;
	out->passes[out->n_passes++].filters = calloc(1, sizeof(*out->passes->filters));
	if (out->passes->filters) {
		out->passes->n_filters = 1;
		return 0;
	}
	recipe_free(out);
	return err_set(e, ENOMEM, "read a recipe: out of memory");
}

/* ---- files ---- */

int recipe_load(const struct store *st, const struct render_id *id, struct recipe *out, struct err *e)
{
	struct store_path path = store_path("recipe", id->s);
	auto_free char *text = NULL;
	struct image_id image;
	size_t len;

	if (render_id_is_image(id)) {
		memcpy(image.s, id->s, sizeof(image.s));
		return recipe_single(&image, out, e);
	}
	if (st->cas_fd < 0)
		return err_set(e, ENOENT, "%s is not in the store", id->s);
	if (fd_read_file(st->cas_fd, path.s, TEXT_MAX, &text, &len, e) < 0)
		return -1;
	if (recipe_parse(text, len, out, e) < 0)
		return err_wrap(e, "%s", path.s);
	if (!strcmp(out->id.s, id->s))
		return 0;
	recipe_free(out);
	return err_set(e, EBADMSG, "the store's %s is damaged", path.s);
}

/* its name says what must be in it; a disk may have lost that */
static bool is_saved(const struct store *st, const struct render_id *id, const struct buf *text)
{
	auto_free char *old = NULL;
	struct err ignored;
	size_t len;

	return fd_read_file(st->cas_fd, store_path("recipe", id->s).s, TEXT_MAX, &old, &len, &ignored) == 0 &&
	       len == text->len && !memcmp(old, text->data, len);
}

int recipe_save(struct store *st, const struct render_id *id, const struct buf *text, struct err *e)
{
	if (is_saved(st, id, text))
		return 0;
	if (store_make_kind(st, "recipe", e) < 0)
		return -1;
	return fd_publish(st->cas_fd, store_path("recipe", id->s).s, text->data, text->len, store_file_mode(st), true, e);
}
