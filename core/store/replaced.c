/* SPDX-License-Identifier: Apache-2.0
 * replaced - what was mounted over a blob that another one took the place of
 *
 * Pods hold on to what they run on by themselves. Who renders a root has the blob of its image locked, so a mount is
 * not taken away while it is made; and who starts a pod from now on finds no mount, and makes one over the new blob.
 */
#include <fcntl.h>
#include <string.h>

#include "core/base/fd.h"
#include "core/base/lock.h"
#include "core/store/internal.h"
#include "core/store/mount.h"
#include "core/store/recipe.h"

/* what somebody has open stays for him, but is not found any more */
static void unmount(struct store *st, const char *render_id)
{
	struct store_path path = store_path("mnt", render_id);
	struct err ignored;

	if (mount_drop(st->cas_fd, path.s, &ignored) == 0)
		mount_detach(st->cas_fd, path.s);
}

static const char *top_image(const struct recipe *r)
{
	return r->images[r->passes[r->n_passes - 1].source].s;
}

static bool is_made_of(const struct recipe *r, const struct image_id *id)
{
	for (size_t i = 0; i < r->n_images; i++)
		if (!strcmp(r->images[i].s, id->s))
			return true;
	return false;
}

/* @locked: the old blob of @id is, which does when that is the top image */
static void unmount_merged(struct store *st, const struct recipe *r, const struct image_id *id, bool locked)
{
	bool own = !strcmp(top_image(r), id->s);
	auto_close int fd = own ? -1 : store_open_file(st, store_path("blob", top_image(r)).s, O_RDONLY);
	struct err ignored;

	if (own ? locked : fd < 0 || store_lock_for_a_while(fd, &ignored) > 0)
		unmount(st, r->id.s);
}

void replaced_unmount(struct store *st, const struct image_id *id, int old_fd)
{
	auto_dir_reader struct dir d;
	const struct dirent *de;
	struct render_id rid;
	struct recipe r;
	struct err ignored;

	bool locked = store_lock_for_a_while(old_fd, &ignored) > 0;
	if (locked)
		unmount(st, id->s);
	if (store_read_dir(st, "recipe", &d) < 0)
		return;
	while ((de = dir_next(&d))) {
		if (!render_id_ok(de->d_name))
			continue;
		render_id_set(&rid, de->d_name);
		if (recipe_load(st, &rid, &r, &ignored) < 0)
			continue;
		if (is_made_of(&r, id))
			unmount_merged(st, &r, id, locked);
		recipe_free(&r);
	}
}
