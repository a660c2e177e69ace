/* SPDX-License-Identifier: Apache-2.0
 * launch - see launch.h
 *
 * All mounts are made in a new mount namespace whose mounts are slaves of the host's: they go with the last
 * process of the pod, however it dies, and nothing has to be unmounted on the host, ever.
 */
#include "applets/rkt/launch.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <unistd.h>

#include <linux/magic.h>

#include "applets/ui.h"
#include "core/base/fd.h"
#include "core/base/rootless.h"
#include "core/base/sys.h"
#include "core/mds/register.h"
#include "core/net/netconf.h"
#include "core/pod/appfs.h"
#include "core/pod/dns.h"
#include "core/pod/userns.h"
#include "core/store/render.h"

/* --net alone is what rkt says for its default network; several are one list */
static int set_net(void *opts, const char *arg, struct err *e)
{
	struct launch_opts *o = opts;

	if (!arg)
		arg = "default";
	if (!*arg)
		return err_set(e, EINVAL, "want none, host, all, or names of networks (default is one)");
	o->net = o->net ? xasprintf("%s,%s", o->net, arg) : arg;
	return 0;
}

/* stage 1 works in another directory */
static int set_learn(void *opts, const char *file, struct err *e)
{
	struct launch_opts *o = opts;

	if (!*file)
		return err_set(e, EINVAL, "want the name of a file");
	o->learn = globals_absolute(file, e);
	return o->learn ? 0 : -1;
}

const struct opt launch_opts_table[] = {
	OPT_CALL_OPTIONAL(0, "net", "NET", set_net,
		"networks to join: NAME[:ARG=VALUE;...],... (default: default), all; none: only a loopback "
		"interface; host: the host's"),
	{ .kind = OPT_KIND_CALL, .name = "private-net", .arg = "NET", .call = set_net, .optional = true,
		.hidden = true, .help = "(old spelling) same as --net" },
	OPT_BOOL(0, "port-proxy", struct launch_opts, port_proxy,
		"forward ports without the kernel's help: slower, and works without nftables"),
	OPT_TEXT(0, "hostname", "NAME", struct launch_opts, hostname,
		"host name of the pod (default rkt-UUID)"),
	OPT_BOOL(0, "interactive", struct launch_opts, interactive,
		"connect the app to this terminal; for pods of one app"),
	OPT_BOOL(0, "mds-register", struct launch_opts, mds_register,
		"register a pod with the host's network with rkt metadata-service"),
	OPT_CALL(0, "learn", "FILE", set_learn,
		"write isolators for the system calls and capabilities that apps use to FILE"),
	OPT_TEXT(0, "prefix", "WHEN", struct launch_opts, prefix,
		"name the app before each line of output: always, never or auto (pods of several "
		"apps)"),
	OPT_BOOL(0, "strict", struct launch_opts, strict,
		"do not start a pod where an isolator would be ignored"),
	OPT_END
};

const char *launch_net(const struct launch_opts *o)
{
	return o->net ? o->net : rootless_is_user() ? "none" : "default";
}

bool launch_own_net(const struct launch_opts *o)
{
	return strcmp(launch_net(o), "host") != 0;
}

static int check_net(const char *net, struct err *e)
{
	enum net_mode mode;

	if (net_mode_parse(net, &mode, e) < 0)
		return err_wrap(e, "--net=%s", net);
	if (mode == NET_JOIN && rootless_is_user())
		return err_set(e, EPERM, "--net=%s: pods of users other than root have only --net=none and --net=host: "
			       "whatever leads out of a network takes root to make", net);
	return 0;
}

int launch_check_ports(const struct launch_opts *o, size_t n_ports, struct err *e)
{
	const char *net = launch_net(o);

	if (n_ports && !strcmp(net, "host"))
		return err_set(e, EINVAL, "ports cannot be forwarded with --net=host: there the apps have the host's ports; "
			"leave --port out");
	if (n_ports && !strcmp(net, "none"))
		return err_set(e, EINVAL, "ports cannot be forwarded %s: the pod has no address; %s",
			       o->net ? "with --net=none" : "without root",
			       o->net ? "leave it out, or --port" : "leave --port out, or use --net=host");
	return 0;
}

/* what sethostname(2) and the rules for names of hosts allow */
static int check_hostname(const char *name, struct err *e)
{
	size_t n = strlen(name);

	if (!n || n > 64 || *name == '-' || *name == '.' ||
	    strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-.") != n)
		return err_set(e, EINVAL,
			"--hostname: \"%s\" is no host name (1 to 64 letters, digits, - and .)",
			name);
	return 0;
}

/* Rather now than when the pod has ended. Stage 1 reads the file, if there is one, and puts another one in its place. */
static int check_learn(const char *file, struct err *e)
{
	auto_free char *dir = xstrdup(file);
	struct stat st;

	strrchr(dir, '/')[1] = 0;
	bool there = stat(file, &st) == 0;
	if (!there && errno != ENOENT)
		return err_sys(e, "--learn=%s", file);
	if (there && !S_ISREG(st.st_mode))
		return err_set(e, EINVAL, "--learn=%s: not a regular file", file);
	if ((there && access(file, R_OK) < 0) || access(dir, W_OK | X_OK) < 0)
		return err_sys(e, "--learn=%s", file);
	return 0;
}

int launch_check(const struct launch_opts *o, size_t n_apps, struct err *e)
{
	if (o->learn && check_learn(o->learn, e) < 0)
		return -1;
	if (check_net(launch_net(o), e) < 0 || (o->hostname && check_hostname(o->hostname, e) < 0))
		return -1;
	if (o->mds_register && o->net && !strcmp(o->net, "host") && mds_register_check(e) < 0)
		return err_wrap(e, "--mds-register");
	if (o->prefix && strcmp(o->prefix, "always") && strcmp(o->prefix, "never") && strcmp(o->prefix, "auto"))
		return err_set(e, EINVAL, "--prefix: want always, never or auto, got \"%s\"", o->prefix);
	if (o->interactive && n_apps != 1)
		return err_set(e, EINVAL,
			"interactive option only supports one image, this pod has %zu", n_apps);
	return 0;
}

int launch_check_stage1(const struct launch_opts *o, const struct stage1 *s, struct err *e)
{
	if (!o->learn || s->builtin)
		return 0;
	return err_set(e, ENOTSUP, "--learn: only the built-in stage 1 can do that, and this one is an image (%s)",
		       s->manifest.name);
}

#define STATUS_NO_SOURCE 1 /* stage 1's, and that of rkt's stage 1 */

int launch_no_source(const struct err *e)
{
	ui_error_bare(e);
	return STATUS_NO_SOURCE;
}

/* ---- mounts ---- */

/* overlayfs and bind mounts take only what belongs to the caller's own mount namespace; so layers
 * are opened again */
struct layer {
	char *path; /* NULL: there is none */
	int   fd;
};

static int remember(struct layer *l, int fd, struct err *e)
{
	char link[40], path[PATH_MAX];

	*l = (struct layer){ .fd = -1 };
	if (fd < 0)
		return 0;
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	ssize_t n = readlink(link, path, sizeof(path));
	if (n < 0 || n == sizeof(path))
		return err_sys(e, "path of an image's tree");
	path[n] = 0;
	l->path = xstrdup(path);
	return 0;
}

static int reopen(struct layer *l, int old_fd, struct err *e)
{
	struct stat then, now;

	if (!l->path)
		return 0;
	l->fd = open(l->path, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (l->fd < 0 || fstat(l->fd, &now) < 0 || fstat(old_fd, &then) < 0)
		return err_sys(e, "open %s", l->path);
	if (then.st_dev != now.st_dev || then.st_ino != now.st_ino)
		return err_set(e, ESTALE, "open %s: something else is there now", l->path);
	return 0;
}

static int mount_stage1(int lower_fd, struct err *e)
{
	auto_close int rkt_fd = sys_open_tree(AT_FDCWD, "stage1/rootfs/rkt", SYS_TREE_CLONE);

	if (rkt_fd < 0)
		return err_needs(e, "open-tree", "clone stage1/rootfs/rkt");
	int r = appfs_mount(APPFS_STAGE1, lower_fd, NULL, e);
	if (r < 0)
		return -1;
	/* the same directory inside and outside of the pod: status files are read from outside */
	if (fd_mkdirs(AT_FDCWD, "stage1/rootfs/rkt/status", 0755, e) < 0)
		return -1;
	if (r == 0 && sys_attach(rkt_fd, AT_FDCWD, "stage1/rootfs/rkt") < 0)
		return err_needs(e, "move-mount", "mount stage1/rootfs/rkt");
	return 0;
}

static int mount_app(const struct launch_app *a, const struct stage1 *s, int lower_fd, const struct appfs_owners *o,
		     struct err *e)
{
	char target[APPFS_PATH_MAX];

	appfs_target(a->name, target);
	if (!s->builtin && fd_mkdirs(AT_FDCWD, target, 0755, e) < 0)
		return -1;
	return appfs_mount(a->name, lower_fd, o, e);
}

static int mount_apps(const struct launch *l, const struct layer *layers, const struct appfs_owners *o, struct err *e)
{
	for (size_t i = 0; i < l->n_apps; i++)
		if (mount_app(&l->apps[i], l->stage1, layers[i].fd, o, e) < 0)
			return err_wrap(e, "app %s", l->apps[i].name);
	return 0;
}

/* Without these the built-in stage 1 manages, too, so failing to pass one on is no error. */
static void pass_fd(const char *variable, int fd)
{
	char text[16];

	if (fd < 0 || fcntl(fd, F_SETFD, 0) < 0)
		return;
	snprintf(text, sizeof(text), "%d", fd);
	setenv(variable, text, 1);
}

/* of a pod with users of its own; overlayfs makes its files as whoever mounts it */
static int mount_mapped(const struct launch *l, const struct layer *layers, struct err *e)
{
	struct appfs_owners o = { .ids = l->ids, .userns_fd = userns_map(l->userns, &l->ids, e) };

	if (o.userns_fd < 0)
		return err_wrap(e, "--private-users");
	if (userns_act_as(l->ids.first) < 0)
		return err_needs(e, "caps", "--private-users: act as the pod's root");
	int r = mount_apps(l, layers, &o, e);
	if (userns_act_as(0) < 0)
		return r < 0 ? -1 : err_sys(e, "act as root");
	pass_fd("RKTBOX_POD_USERNS_FD", o.userns_fd);
	return r;
}

/* the others, which may not have been there before */
static int pass_namespaces(const struct launch *l, struct err *e)
{
	struct userns_fds fds = USERNS_FDS_NONE;

	int r = userns_take(l->userns, &fds, e);
	userns_drop(l->userns);
	if (r < 0)
		return err_wrap(e, "--private-users");
	pass_fd("RKTBOX_POD_IPCNS_FD", fds.ipc);
	pass_fd("RKTBOX_POD_UTSNS_FD", fds.uts);
	pass_fd("RKTBOX_POD_NETNS_FD", fds.net);
	return 0;
}

static int mount_all(const struct launch *l, const struct layer *layers, struct err *e)
{
	if (!l->stage1->builtin && mount_stage1(layers[l->n_apps].fd, e) < 0)
		return err_wrap(e, "stage 1");
	return l->ids.count ? mount_mapped(l, layers, e) : mount_apps(l, layers, NULL, e);
}

/*
 * The built-in stage 1 makes the pod's processes in the namespace that we leave now for our own, so that it need
 * not be copied once more.
 */
static void pass_host_ns(void)
{
	pass_fd("RKTBOX_HOST_MNTNS_FD", open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC));
}

/* from here on the current directory is the pod's, in a mount namespace of our own */
static int enter_namespace(const struct pod *p, struct err *e)
{
	/* before unshare: that moves the current directory into the new namespace, unlike open descriptors */
	if (fchdir(p->dir_fd) < 0)
		return err_sys(e, "enter pod directory");
	if (unshare(CLONE_NEWNS) < 0)
		return err_needs(e, "ns-mnt", "new mount namespace");
	/* what the host mounts later is seen in the pod's host side, what we mount is not seen on the host */
	if (mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL) < 0)
		return err_needs(e, "caps", "make mounts slaves of the host's");
	return 0;
}

/*
 * The built-in stage 1 leaves the whole root behind, and all that is mounted in it. But it can only cover one that is
 * no mount of its own: that of an initramfs, or of a chroot.
 */
static bool root_may_stay(void)
{
	struct statx sx;
	struct statfs fs;

	return statx(AT_FDCWD, "/", 0, STATX_INO, &sx) < 0 || !(sx.stx_attributes & STATX_ATTR_MOUNT_ROOT) ||
	       statfs("/", &fs) < 0 || fs.f_type == RAMFS_MAGIC || fs.f_type == TMPFS_MAGIC;
}

static int set_up(const struct launch *l, struct err *e)
{
	const struct stage1 *s = l->stage1;
	const struct launch_app *apps = l->apps;
	size_t n_apps = l->n_apps;
	struct layer *layers = xmalloc((n_apps + 1) * sizeof(*layers));

	int r = remember(&layers[n_apps], l->stage1_fd, e);
	for (size_t i = 0; r == 0 && i < n_apps; i++)
		r = remember(&layers[i], apps[i].lower_fd, e);
	/* back into the host's is more than root of another user namespace may */
	if (s->builtin && !rootless_is_user())
		pass_host_ns();
	if (r == 0)
		r = enter_namespace(l->pod, e);
	if (r == 0)
		r = reopen(&layers[n_apps], l->stage1_fd, e);
	for (size_t i = 0; r == 0 && i < n_apps; i++)
		r = reopen(&layers[i], apps[i].lower_fd, e);
	if (r == 0)
		r = mount_all(l, layers, e);
	/*
	 * Overlays hold what they stand on by themselves. The mounts of all images, which came along, would keep
	 * them in use as long as the pod lives. The data directory is three levels above a pod directory.
	 */
	if (r == 0 && (!s->builtin || root_may_stay()))
		render_leave("../../../cas");
	for (size_t i = 0; i <= n_apps; i++) {
		fd_cleanup(&layers[i].fd);
		free(layers[i].path);
	}
	free(layers);
	return r;
}

/* ---- the command line of stage 1 ---- */

static char *dns_mode(const struct stage1 *s, const struct dns_files *d)
{
	bool asked = d->resolv != DNS_DEFAULT || d->hosts != DNS_DEFAULT;

	if (s->builtin ? asked : stage1_version(s) >= 4)
		return xasprintf("--dns-conf-mode=resolv=%s,hosts=%s", dns_way_names[d->resolv], dns_way_names[d->hosts]);
	if (asked)
		ui_warn("--dns, --dns-search, --dns-opt, --dns-domain and --hosts-entry are left out: this stage 1 "
			"does not know them (its interface has version %u)", stage1_version(s));
	return NULL;
}

/* at most three arguments; how many */
static size_t defences_off(unsigned insecure, const struct stage1 *s, char **v)
{
	static const struct { unsigned bit; const char *arg; } all[] = {
		{ INSECURE_CAPABILITIES, "--disable-capabilities-restriction" }, { INSECURE_PATHS, "--disable-paths" },
		{ INSECURE_SECCOMP, "--disable-seccomp" },
	};
	bool knows = s->builtin || stage1_version(s) >= 3;
	unsigned asked = 0;
	size_t n = 0;

	for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++) {
		asked |= insecure & all[i].bit;
		if (knows && insecure & all[i].bit)
			v[n++] = xstrdup(all[i].arg);
	}
	if (asked && !knows)
		ui_warn("--insecure-options=capabilities, paths and seccomp are left out: this stage 1 does not know them "
			"(its interface has version %u)", stage1_version(s));
	return n;
}

static char **arguments(const struct rkt_globals *g, const struct launch *l, const struct launch_opts *o,
			const struct dns_files *d, const char *token)
{
	const struct stage1 *s = l->stage1;
	const struct pod_ids *ids = &l->ids;
	char **v = xmalloc(20 * sizeof(*v)), range[POD_IDS_TEXT_MAX];
	size_t n = 0;
	unsigned version = stage1_version(s);

	if (g->debug)
		v[n++] = xstrdup("--debug");
	v[n++] = xasprintf("--net=%s", launch_net(o));
	if (o->interactive)
		v[n++] = xstrdup("--interactive");
	if (o->hostname && !s->builtin && version < 2)
		ui_warn("--hostname is left out: this stage 1 does not know it (its interface has "
			"version %u)",
			version);
	else if (o->hostname)
		v[n++] = xasprintf("--hostname=%s", o->hostname);
	/* the built-in one has been told in another way: arguments are for everybody to see */
	if (*token && !s->builtin)
		v[n++] = xasprintf("--mds-token=%s", token);
	if (*g->local_config)
		v[n++] = xasprintf("--local-config=%s", g->local_config);
	if (s->builtin && *g->system_config)
		v[n++] = xasprintf("--system-config=%s", g->system_config);
	if (o->port_proxy && s->builtin)
		v[n++] = xstrdup("--port-proxy");
	else if (o->port_proxy)
		ui_warn("--port-proxy is left out: this stage 1 does not know it");
	n += defences_off(g->insecure, s, v + n);
	if (s->builtin && rootless_is_user())
		v[n++] = xstrdup("--rootless");
	char *dns = dns_mode(s, d);
	if (dns)
		v[n++] = dns;
	if (ids->count) {
		pod_ids_text(ids, range);
		v[n++] = xasprintf("--private-users=%s", range);
	}
	if (s->builtin && o->prefix)
		v[n++] = xasprintf("--prefix=%s", o->prefix);
	if (o->learn)
		v[n++] = xasprintf("--learn=%s", o->learn);
	v[n++] = xstrdup(l->pod->uuid);
	v[n] = NULL;
	return v;
}

/* stage 1 keeps the pod locked, that is: running, as long as it has this descriptor */
static int hand_over_lock(const struct pod *p, struct err *e)
{
	char number[16];

	snprintf(number, sizeof(number), "%d", p->dir_fd);
	if (setenv("RKT_LOCK_FD", number, 1) < 0)
		return err_sys(e, "set RKT_LOCK_FD");
	return fcntl(p->dir_fd, F_SETFD, 0) < 0 ? err_sys(e, "hand over the pod's lock") : 0;
}

void launch_begin(const struct launch_opts *o, struct netns *n)
{
	*n = (struct netns){ .fd = -1 };
	if (launch_own_net(o))
		netns_begin(n);
}

int launch_begin_users(const struct launch_opts *o, struct userns *u, struct err *e)
{
	if (userns_begin(u, CLONE_NEWIPC | CLONE_NEWUTS | (launch_own_net(o) ? CLONE_NEWNET : 0), e) < 0)
		return err_wrap(e, "--private-users");
	return 0;
}

/*
 * A pod with a network of its own has the built-in stage 1's own service; others can only be told of the host's.
 * @token: "" when it was not registered
 */
static int register_pod(const struct launch *l, const struct launch_opts *o, char token[MDS_TOKEN_LEN + 1], struct err *e)
{
	char url[MDS_URL_MAX];
	unsigned port;

	*token = 0;
	if (!o->mds_register || (l->stage1->builtin && (!o->net || strcmp(o->net, "host") != 0)))
		return 0;
	mds_token_new(token);
	if (mds_register(l->pod->uuid, token, l->pod->dir_fd, &port, e) < 0)
		return err_wrap(e, "--mds-register");
	mds_url(url, port, token);
	return l->stage1->builtin ? fd_publish(l->pod->dir_fd, MDS_URL_FILE, url, strlen(url), 0600, false, e) : 0;
}

static int become(const struct rkt_globals *g, const struct launch *l, const struct launch_opts *o,
		  const struct dns_files *d, struct err *e)
{
	const struct stage1 *s = l->stage1;
	auto_close int self_fd = s->builtin ? stage1_self(e) : -1;
	char token[MDS_TOKEN_LEN + 1];

	if (s->builtin && self_fd < 0)
		return -1;
	if (register_pod(l, o, token, e) < 0 || set_up(l, e) < 0 || dns_install(d, e) < 0 || hand_over_lock(l->pod, e) < 0)
		return err_wrap(e, "start pod %s", l->pod->uuid);
	/*
	 * An exec would end the thread, so in any case it is waited for; a foreign stage 1 makes its own, and with it
	 * those make one that have users of their own, to whom it belongs.
	 */
	auto_close int mds_fd = -1;
	auto_close int netns_fd = netns_take(l->netns, &mds_fd);
	if (s->builtin && !l->ids.count) {
		pass_fd("RKTBOX_POD_NETNS_FD", netns_fd);
		pass_fd("RKTBOX_POD_MDS_FD", mds_fd);
	}
	if (l->ids.count && pass_namespaces(l, e) < 0)
		return -1;
	/* closed with the exec it would hold that up, until no processor looks at the mount any more */
	if (s->builtin)
		pass_fd("RKTBOX_SELF_FD", self_fd);
	return stage1_become(s, self_fd, "run", arguments(g, l, o, d, token), e);
}

int launch(const struct rkt_globals *g, const struct launch *l, const struct launch_opts *o, struct err *e)
{
	struct rkt_globals own = *g;
	char hostname[UUID_LEN + 5];
	struct dns_files d;

	own.local_config = globals_absolute(g->local_config, e);
	own.system_config = own.local_config ? globals_absolute(g->system_config, e) : NULL;
	if (!own.system_config)
		return -1;
	snprintf(hostname, sizeof(hostname), "rkt-%s", l->pod->uuid);
	int r = dns_files(l->annotations, o->hostname ? o->hostname : hostname, &d, e);
	if (r == 0)
		r = become(&own, l, o, &d, e);
	dns_files_free(&d);
	return r;
}
