/* SPDX-License-Identifier: Apache-2.0
 * isolator - fuzzer: any JSON as the value of each isolator that is known, and the names in it by themselves
 *
 * The first byte says which isolator, and whether of an app or of a pod. What the rules let pass, stage 1 must be able
 * to read (isolator.h), and what it reads must be within bounds. Of what it reads about seccomp it makes filters, for
 * each kind of image: programs that end on every call, and let nothing through that belongs to another architecture.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/appc/check.h"
#include "core/appc/isolator.h"
#include "core/appc/sysctl.h"
#include "core/base/json.h"
#include "stage1-init/filter.h"
#include "testsuite/unit/bpf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const names[] = {
	"resource/cpu", "resource/memory", "resource/pids", "resource/block-bandwidth", "resource/block-iops",
	"resource/network-bandwidth", "os/linux/capabilities-retain-set", "os/linux/capabilities-remove-set",
	"os/linux/seccomp-retain-set", "os/linux/seccomp-remove-set", "os/linux/no-new-privileges",
	"os/linux/selinux-context", "os/linux/oom-score-adj", "os/linux/cpu-shares", "os/unix/sysctl", "os/unix/rlimits",
	"os/linux/landlock", "example.com/unknown", "os/linux/apparmor-profile",
};
#define N_NAMES (sizeof(names) / sizeof(*names))

static void must(bool good)
{
	if (!good)
		abort();
}

static void check_limits(const struct appc_limits *l)
{
	must(l->memory_bytes >= 0 && l->memory_request >= 0 && l->cpu_millis >= 0 && l->cpu_request_millis >= 0);
	must(l->pids >= 0 && (!l->cpu_shares || (l->cpu_shares >= 2 && l->cpu_shares <= 262144)));
	must(l->seccomp.mode <= APPC_SECCOMP_NONE && l->seccomp.error >= 0 && l->seccomp.error < 4096);
	must(l->block_bps >= 0 && l->block_iops >= 0);
	for (int i = 0; i < APPC_RLIMITS; i++)
		must(!l->rlimits[i].set || l->rlimits[i].soft <= l->rlimits[i].hard);
	must(l->oom_score_adj >= -1000 && l->oom_score_adj <= 1000);
	for (int i = 0; i < 64; i++)
		must(!(l->caps >> i & 1) || appc_cap_name(i));
}

static const struct syscall_arch *const all[] = { &syscall_x86_64, &syscall_i386, &syscall_aarch64, &syscall_arm,
						  &syscall_riscv64 };
#define N_ALL (sizeof(all) / sizeof(*all))

static bool is_among(const struct filter_for *f, const struct syscall_arch *a)
{
	return f->arches[0] == a || f->arches[1] == a;
}

/* a program cannot be asked everything each time: where one and a half hundred numbers lie changes with the input */
static void ask(const struct filter_for *f, const struct appc_seccomp *s, const struct seccomp_prog *p, unsigned first)
{
	for (unsigned i = 0; i < N_ALL; i++)
		for (unsigned nr = first % 7; nr < 520; nr += 7) {
			const struct seccomp_data d = { .nr = (int)nr, .arch = all[i]->audit,
							.args = { nr % 30, UINT64_C(1) << nr % 64 } };
			uint32_t r = bpf_run(p->code, p->len, &d);
			must(r == SECCOMP_RET_ALLOW || r == SECCOMP_RET_USER_NOTIF || (r & 0xffff0000) == SECCOMP_RET_ERRNO);
			must(r == (SECCOMP_RET_ERRNO | 38) || (is_among(f, all[i]) && nr < 470));
			int call = syscall_at(all[i], (int)nr);
			must(r != SECCOMP_RET_ALLOW || s->mode != APPC_SECCOMP_REMOVE || call < 0 ||
			     !syscall_set_has(&s->set, (unsigned)call));
		}
}

static void make_filters(const struct appc_limits *l, unsigned first)
{
	static const struct filter_for kinds[] = { { { &syscall_x86_64, &syscall_i386 }, 0 }, { { &syscall_riscv64 }, 1 << 21 },
						   { { &syscall_aarch64, &syscall_arm }, UINT64_MAX } };

	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
		struct seccomp_prog p;
		struct err e;
		must(filter_build(&kinds[i], &l->seccomp, &p, &e) == 0);
		must(!p.code == (l->seccomp.mode == APPC_SECCOMP_NONE));
		if (p.code)
			ask(&kinds[i], &l->seccomp, &p, first);
		free(p.code);
	}
}

/* @value is taken */
static void one(const char *name, cJSON *value, enum isolator_scope scope, unsigned first)
{
	struct appc_isolator is = { (char *)(uintptr_t)name, value, NULL };
	const struct appc_isolators list = { &is, 1 };
	struct findings f = { 0 };
	struct appc_limits limits;
	struct check c;
	struct err e = { 0 };

	check_begin(&c, &f);
	check_isolators(&c, &list, scope);
	bool good = check_end(&c, 0);
	int r = appc_limits_read(&list, &limits, &e);
	must(r == 0 || (!good && *e.msg));
	if (r == 0)
		check_limits(&limits);
	if (r == 0 && limits.seccomp.mode != APPC_SECCOMP_DEFAULT)
		make_filters(&limits, first);
	findings_free(&f);
	cJSON_Delete(value);
}

static void name_alone(const uint8_t *data, size_t size)
{
	char text[64];

	if (size >= sizeof(text))
		return;
	memcpy(text, data, size);
	text[size] = 0;
	int cap = appc_cap_number(text), number = appc_errno_number(text), call = syscall_find(text);
	struct syscall_set group = { { 0 } };
	char name[SYSCALL_NAME_SIZE];
	char path[80];
	must(!sysctl_path(text, path, sizeof(path)) || (*path != '/' && !strstr(path, "//") && !strstr(path, "..")));
	must(cap == -1 || !strcmp(appc_cap_name(cap), text));
	must(number == -1 || number > 0);
	syscall_name(call < 0 ? N_CALLS : (unsigned)call, name);
	must(call < 0 ? !*name : !strcmp(name, text) && syscall_find(name) == call);
	must(!syscall_group(text, &group) || *text == '@');
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct json_error je;

	if (!size)
		return 0;
	name_alone(data + 1, size - 1);
	cJSON *value = json_parse((const char *)data + 1, size - 1, &je);
	if (value)
		one(names[(data[0] & 127) % N_NAMES], value, data[0] & 128 ? SCOPE_POD : SCOPE_APP, (unsigned)size);
	return 0;
}
