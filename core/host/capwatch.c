/* SPDX-License-Identifier: Apache-2.0
 * capwatch - see capwatch.h
 */
#include "core/host/capwatch.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <linux/bpf.h>
#include <linux/perf_event.h>

#include "core/base/fd.h"
#include "core/base/num.h"
#include "core/base/sys.h"
#include "core/host/btf.h"
#include "core/host/capwatch_prog.h"

#define TASKS_MAX 16384 /* those that were idle longest are forgotten, until they are announced again */

#define CHECK_FUNCTION "cap_capable"
#define KPROBE_TYPE    "/sys/bus/event_source/devices/kprobe/type"

/* ---- the two ways ---- */

static int read_number(int dir_fd, const char *path, uint64_t *out, struct err *e)
{
	char text[24];
	auto_close int fd = openat(dir_fd, path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : fd_read_full(fd, text, sizeof(text) - 1);

	if (n < 0)
		return err_sys(e, "%s", path);
	text[n] = 0;
	text[strcspn(text, "\n")] = 0;
	return num_u64(text, UINT32_MAX, out, e);
}

static int open_event(struct capwatch *w, struct perf_event_attr *a)
{
	unsigned cpu = 0;

	/* the program runs on all of them, but the event has to be somewhere */
	if (syscall(SYS_getcpu, &cpu, NULL, NULL) < 0)
		return -1;
	a->size = sizeof(*a);
	a->disabled = 1;
	w->event_fd = (int)syscall(SYS_perf_event_open, a, -1, (int)cpu, -1, PERF_FLAG_FD_CLOEXEC);
	return w->event_fd < 0 ? -1 : 0;
}

static int open_kprobe(struct capwatch *w, struct err *e)
{
	struct perf_event_attr a = { .kprobe_func = (uint64_t)(uintptr_t)CHECK_FUNCTION };
	uint64_t type;

#if defined(__x86_64__)
	static const uint32_t regs[4] = { 14 * 8, 13 * 8, 12 * 8, 11 * 8 }; /* di, si, dx, cx in struct pt_regs */
#elif defined(__aarch64__)
	static const uint32_t regs[4] = { 0, 8, 16, 24 };
#else
	return err_set(e, ENOTSUP, "kprobes: not on this architecture");
#endif
	if (read_number(AT_FDCWD, KPROBE_TYPE, &type, e) < 0)
		return -1;
	a.type = (uint32_t)type;
	if (open_event(w, &a) < 0)
		return err_sys(e, "kprobe on " CHECK_FUNCTION);
	memcpy(w->args, regs, sizeof(regs));
	return 0;
}

/* "\tfield:int cap;\toffset:32;\tsize:4;..." */
static int field_at(const char *format, const char *name, uint32_t *out)
{
	const char *at = strstr(format, name);

	at = at ? strstr(at, "offset:") : NULL;
	if (!at)
		return -1;
	*out = (uint32_t)strtoul(at + strlen("offset:"), NULL, 10);
	return 0;
}

static int read_fields(int dir_fd, struct capwatch *w, struct err *e)
{
	static const char *const names[] = { " cred;", " target_ns;", " cap;", " ret;" };
	char text[2048];
	auto_close int fd = openat(dir_fd, "format", O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : fd_read_full(fd, text, sizeof(text) - 1);

	if (n < 0)
		return err_sys(e, "format of a tracepoint");
	text[n] = 0;
	for (size_t i = 0; i < 4; i++)
		if (field_at(text, names[i], &w->args[i]) < 0)
			return err_set(e, EINVAL, "tracepoint " CHECK_FUNCTION ": no field%s", names[i]);
	return 0;
}

static int open_tracepoint(struct capwatch *w, struct err *e)
{
	struct perf_event_attr a = { .type = PERF_TYPE_TRACEPOINT };
	uint64_t id;

	/* of our own, and nowhere in the tree */
	auto_close int fs_fd = sys_fsopen("tracefs");
	auto_close int top_fd = fs_fd < 0 || sys_fsconfig(fs_fd, SYS_CONFIG_CREATE, NULL, NULL) < 0 ?
				-1 : sys_fsmount(fs_fd, 0);
	if (top_fd < 0)
		return err_sys(e, "tracefs");
	auto_close int dir_fd =
		openat(top_fd, "events/capability/" CHECK_FUNCTION, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir_fd < 0)
		return err_sys(e, "tracepoint " CHECK_FUNCTION);
	if (read_number(dir_fd, "id", &id, e) < 0 || read_fields(dir_fd, w, e) < 0)
		return -1;
	a.config = id;
	w->tracepoint = true;
	return open_event(w, &a) < 0 ? err_sys(e, "tracepoint " CHECK_FUNCTION) : 0;
}

static int open_either(struct capwatch *w, struct err *e)
{
	struct err why;

	if (open_kprobe(w, &why) == 0 || open_tracepoint(w, e) == 0)
		return 0;
	char text[sizeof(e->msg)];
	snprintf(text, sizeof(text), "%s", e->msg);
	return err_set(e, e->code, "%.200s; %.200s", why.msg, text);
}

/* ---- maps ---- */

static int make_map(uint32_t type, uint32_t value_size, uint32_t n)
{
	union bpf_attr a;

	memset(&a, 0, sizeof(a));
	a.map_type = type;
	a.key_size = 4;
	a.value_size = value_size;
	a.max_entries = n;
	return capwatch_bpf(BPF_MAP_CREATE, &a, sizeof(a));
}

static int with_element(int command, int map_fd, const void *key, void *value)
{
	union bpf_attr a;

	memset(&a, 0, sizeof(a));
	a.map_fd = (uint32_t)map_fd;
	a.key = (uint64_t)(uintptr_t)key;
	a.value = (uint64_t)(uintptr_t)value;
	return capwatch_bpf(command, &a, sizeof(a));
}

/* ---- in order ---- */

static int find_members(struct capwatch *w, struct err *e)
{
	struct btf_place v[] = {
		[TASK_CRED] = { "task_struct", "real_cred", 0 },
		[CRED_CAPS] = { "cred", "cap_effective", 0 },
		[CRED_NS] = { "cred", "user_ns", 0 },
		[NS_LEVEL] = { "user_namespace", "level", 0 },
		[NS_NUMBER] = { "user_namespace", "ns", 0 },
		{ "ns_common", "inum", 0 },
	};
	const size_t n = sizeof(v) / sizeof(*v);

	if (btf_find(v, n, e) < 0)
		return -1;
	for (size_t i = 0; i < n - 1; i++)
		w->members[i] = v[i].offset;
	w->members[NS_NUMBER] += v[n - 1].offset;
	return 0;
}

int capwatch_open(struct capwatch *w, size_t n_groups, struct err *e)
{
	*w = (struct capwatch)CAPWATCH_NONE;
	if (open_either(w, e) < 0 || find_members(w, e) < 0)
		return -1;
	w->tasks_fd = make_map(BPF_MAP_TYPE_LRU_HASH, 4, TASKS_MAX);
	w->masks_fd = w->tasks_fd < 0 ? -1 : make_map(BPF_MAP_TYPE_ARRAY, 8, (uint32_t)n_groups);
	return w->masks_fd < 0 ? err_sys(e, "make a BPF map") : 0;
}

/* the kernel's own way to write device numbers */
static uint64_t kernel_dev(dev_t d)
{
	return (uint64_t)major(d) << 20 | minor(d);
}

int capwatch_start(struct capwatch *w, const char *pid_ns, const char *user_ns, struct err *e)
{
	struct stat pid, user;

	if (stat(pid_ns, &pid) < 0)
		return err_sys(e, "%s", pid_ns);
	if (stat(user_ns, &user) < 0)
		return err_sys(e, "%s", user_ns);
	const struct capwatch_ns ns = { kernel_dev(pid.st_dev), pid.st_ino, (uint32_t)user.st_ino };
	auto_close int prog_fd = capwatch_load(w, &ns);
	if (prog_fd < 0)
		return err_sys(e, "load a BPF program");
	if (ioctl(w->event_fd, (int)PERF_EVENT_IOC_SET_BPF, prog_fd) < 0 ||
	    ioctl(w->event_fd, (int)PERF_EVENT_IOC_ENABLE, 0) < 0)
		return err_sys(e, "attach a BPF program");
	return 0;
}

int capwatch_add(const struct capwatch *w, uint32_t tgid, uint32_t group)
{
	return with_element(BPF_MAP_UPDATE_ELEM, w->tasks_fd, &tgid, &group);
}

uint64_t capwatch_used(const struct capwatch *w, uint32_t group)
{
	uint64_t mask = 0;

	return with_element(BPF_MAP_LOOKUP_ELEM, w->masks_fd, &group, &mask) < 0 ? 0 : mask;
}

void capwatch_close(struct capwatch *w)
{
	fd_cleanup(&w->event_fd);
	fd_cleanup(&w->masks_fd);
	fd_cleanup(&w->tasks_fd);
}
