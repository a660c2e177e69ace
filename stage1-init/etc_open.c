/* SPDX-License-Identifier: Apache-2.0
 * etc_open - on the host side; see etc.h
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/fd.h"
#include "core/base/sys.h"
#include "core/pod/dns.h"
#include "stage1-init/etc.h"

static const struct file {
	const char *key, *option, *path, *written;
	bool        may_be_none;
} files[] = {
	{ "resolv=", "--dns", "/etc/resolv.conf", "stage1/rootfs/etc/" DNS_RESOLV_FILE, true },
	{ "hosts=", "--hosts-entry", "/etc/hosts", "stage1/rootfs/etc/" DNS_HOSTS_FILE, false },
};
#define N_FILES (sizeof(files) / sizeof(*files))

static const struct file *find_file(const char *word)
{
	for (size_t i = 0; i < N_FILES; i++)
		if (!strncmp(word, files[i].key, strlen(files[i].key)))
			return &files[i];
	return NULL;
}

static int find_way(const struct file *f, const char *mode, size_t len, enum dns_way *out, struct err *e)
{
	for (int w = 0; w < DNS_WAYS; w++)
		if (strlen(dns_way_names[w]) == len && !memcmp(dns_way_names[w], mode, len) &&
		    (w != DNS_NONE || f->may_be_none)) {
			*out = (enum dns_way)w;
			return 0;
		}
	return err_set(e, EINVAL, "--dns-conf-mode: %s%.*s is not known", f->key, (int)len, mode);
}

/* The host's own may be a link, which is followed as the host's programs do. */
static int open_source(const struct file *f, enum dns_way way, int pod_fd, struct err *e)
{
	struct stat st;
	auto_close int fd = way == DNS_HOST ? openat(AT_FDCWD, f->path, O_PATH | O_CLOEXEC) :
					      openat(pod_fd, f->written, O_PATH | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0 || fstat(fd, &st) < 0)
		return way == DNS_HOST ? err_sys(e, "%s=host: %s of the host", f->option, f->path) :
					 err_sys(e, "open %s", f->written);
	if (!S_ISREG(st.st_mode))
		return err_set(e, EINVAL, "%s is not a regular file", way == DNS_HOST ? f->path : f->written);
	return take_fd(&fd);
}

static int add_mount(struct plan_app *a, const struct file *f, int src, bool read_only, struct err *e)
{
	const struct sys_mount_attr attr = {
		.set = SYS_ATTR_NODEV | SYS_ATTR_NOSUID | SYS_ATTR_NOEXEC | (read_only ? SYS_ATTR_RDONLY : 0),
		.propagation = SYS_PROPAGATION_PRIVATE,
	};
	auto_close int fd = sys_open_tree(src, "", AT_EMPTY_PATH | SYS_TREE_CLONE);

	if (fd < 0 || sys_mount_setattr(fd, "", AT_EMPTY_PATH, &attr) < 0)
		return err_needs(e, "open-tree mount-setattr", "%s: clone mount", f->option);
	struct plan_mount *more = realloc(a->mounts, (a->n_mounts + 1) * sizeof(*more));
	if (!more)
		return err_set(e, ENOMEM, "out of memory");
	a->mounts = more;
	/* last, after all volumes: it is stronger than they are */
	a->mounts[a->n_mounts++] = (struct plan_mount){
		.volume = f->option, .path = f->path, .fd = take_fd(&fd), .ours = true,
	};
	return 0;
}

static int add_everywhere(struct plan *p, const struct file *f, enum dns_way way, int pod_fd, struct err *e)
{
	if (way != DNS_HOST && way != DNS_STAGE0)
		return 0;
	auto_close int src = open_source(f, way, pod_fd, e);
	if (src < 0)
		return -1;
	/* what was written for this pod its root may change, as in any other pod */
	if (way == DNS_STAGE0 && p->ids.count && fchownat(src, "", p->ids.first, p->ids.first, AT_EMPTY_PATH) < 0)
		return err_sys(e, "owner of %s", f->written);
	for (size_t i = 0; i < p->n_apps; i++)
		if (add_mount(&p->apps[i], f, src, way == DNS_HOST || p->apps[i].read_only, e) < 0)
			return -1;
	return 0;
}

bool etc_resolv_wanted(const char *modes)
{
	const char *resolv = modes ? strstr(modes, files[0].key) : NULL;

	return resolv && strncmp(resolv + strlen(files[0].key), "default", 7) != 0;
}

int etc_open(struct plan *p, const char *modes, bool net_dns, int pod_fd, struct err *e)
{
	bool seen[N_FILES] = { false };

	for (const char *word = modes; word && *word;) {
		size_t len = strcspn(word, ",");
		const struct file *f = find_file(word);
		enum dns_way way;
		if (!f || seen[f - files])
			return err_set(e, EINVAL, "--dns-conf-mode: want resolv=MODE,hosts=MODE, each once");
		seen[f - files] = true;
		size_t key = strlen(f->key);
		if (key > len || find_way(f, word + key, len - key, &way, e) < 0 ||
		    add_everywhere(p, f, way, pod_fd, e) < 0)
			return -1;
		word += len + (word[len] == ',');
	}
	return net_dns ? add_everywhere(p, files, DNS_STAGE0, pod_fd, e) : 0;
}
