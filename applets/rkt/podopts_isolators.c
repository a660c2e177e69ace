/* SPDX-License-Identifier: Apache-2.0
 * podopts_isolators - see podopts_isolators.h
 */
#include "applets/rkt/podopts_isolators.h"

#include <ctype.h>
#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "applets/ui.h"
#include "core/appc/isolator.h"
#include "core/base/fd.h"
#include "core/base/num.h"

/* ---- capabilities ---- */

/* "CAP_NET_RAW,cap_chown" as the value of the isolators, in the names that they want */
static int caps_value(const char *arg, cJSON **value, struct err *e)
{
	auto_free char *copy = xstrdup(arg);
	cJSON *set = cJSON_CreateArray();

	for (char *p = copy; p;) {
		char *name = strsep(&p, ",");
		for (char *c = name; *c; c++)
			*c = (char)toupper((unsigned char)*c);
		if (appc_cap_number(name) < 0) {
			cJSON_Delete(set);
			return err_set(e, EINVAL, "\"%s\" is not a capability (like CAP_NET_RAW)", name);
		}
		cJSON_AddItemToArray(set, cJSON_CreateString(name));
	}
	*value = cJSON_CreateObject();
	cJSON_AddItemToObject(*value, "set", set);
	return 0;
}

static int set_caps(void *opts, size_t at, size_t other, const char *arg, struct err *e)
{
	const struct podopts *o = opts;
	cJSON *value;

	/* parsed for its errors only, as volumes are */
	if (caps_value(arg, &value, e) < 0)
		return -1;
	cJSON_Delete(value);
	if (podopts_set_text(opts, at, arg, e) < 0)
		return -1;
	const char *a = (const char *)&o->apps[o->n_apps - 1];
	return *(const char *const *)(a + other) ?
		       err_set(e, EINVAL, "cannot use both --caps-retain and --caps-remove on the same image") : 0;
}

static int set_caps_retain(void *opts, const char *arg, struct err *e)
{
	return set_caps(opts, offsetof(struct podopts_app, caps_retain), offsetof(struct podopts_app, caps_remove), arg, e);
}

static int set_caps_remove(void *opts, const char *arg, struct err *e)
{
	return set_caps(opts, offsetof(struct podopts_app, caps_remove), offsetof(struct podopts_app, caps_retain), arg, e);
}

/* ---- numbers ---- */

static int whole(const char *arg, int min, int max, int *out, struct err *e)
{
	bool minus = *arg == '-';
	struct err why;
	uint64_t n;

	if (num_u64(arg + minus, 1u << 30, &n, &why) < 0 || (*out = minus ? -(int)n : (int)n) < min || *out > max)
		return err_set(e, EINVAL, "\"%s\" is not a whole number from %d to %d", arg, min, max);
	return 0;
}

static int set_cpu_shares(void *opts, const char *arg, struct err *e)
{
	int n;

	if (whole(arg, 2, 262144, &n, e) < 0)
		return -1;
	return podopts_set_text(opts, offsetof(struct podopts_app, cpu_shares), arg, e);
}

static int set_oom_score_adj(void *opts, const char *arg, struct err *e)
{
	int n;

	if (whole(arg, -1000, 1000, &n, e) < 0)
		return -1;
	return podopts_set_text(opts, offsetof(struct podopts_app, oom_score_adj), arg, e);
}

static int set_isolators_from(void *opts, const char *arg, struct err *e)
{
	return podopts_set_text(opts, offsetof(struct podopts_app, isolators_from), arg, e);
}

#define OLD(old, value, fn, now) \
	{ .kind = OPT_KIND_CALL, .name = old, .arg = value, .call = fn, .hidden = true, \
	  .help = "(old spelling) same as " now }

const struct opt podopts_isolators[] = {
	OPT_CALL(0, "caps-retain", "CAP,...", set_caps_retain,
		 "capabilities that the app may have, and no others, instead of what the image asks for"),
	OPT_CALL(0, "caps-remove", "CAP,...", set_caps_remove,
		 "capabilities of the default set that the app may not have, likewise"),
	OPT_CALL(0, "cpu-shares", "N", set_cpu_shares,
		 "weight where apps want more than there are processors: 2 to 262144, usual is 1024"),
	OPT_CALL(0, "oom-score-adj", "N", set_oom_score_adj,
		 "how soon the app is killed when memory is short: -1000 (never) to 1000"),
	OPT_CALL(0, "isolators-from", "FILE", set_isolators_from,
		 "isolators that --learn wrote to FILE for this app, instead of the image's of the same names"),
	OLD("cap-retain", "CAP,...", set_caps_retain, "--caps-retain"),
	OLD("cap-remove", "CAP,...", set_caps_remove, "--caps-remove"),
	OLD("oom-score-adjust", "N", set_oom_score_adj, "--oom-score-adj"),
	OPT_END
};

/* ---- into the app ---- */

static int apply_caps(const char *arg, const char *name, struct appc_isolators *l, struct err *e)
{
	cJSON *value;

	if (caps_value(arg, &value, e) < 0)
		return -1;
	appc_isolators_remove(l, APPC_CAPS_RETAIN_SET);
	appc_isolators_remove(l, APPC_CAPS_REMOVE_SET);
	return appc_isolators_set(l, name, value, e);
}

static int apply_number(const char *arg, const char *name, struct appc_isolators *l, struct err *e)
{
	int n = 0;

	if (whole(arg, -1000, 262144, &n, e) < 0)
		return -1;
	return appc_isolators_set(l, name, cJSON_CreateNumber(n), e);
}

int podopts_isolators_apply(const struct podopts_app *a, struct appc_isolators *l, struct err *e)
{
	if ((a->caps_retain && apply_caps(a->caps_retain, APPC_CAPS_RETAIN_SET, l, e) < 0) ||
	    (a->caps_remove && apply_caps(a->caps_remove, APPC_CAPS_REMOVE_SET, l, e) < 0) ||
	    (a->cpu_shares && apply_number(a->cpu_shares, "os/linux/cpu-shares", l, e) < 0) ||
	    (a->oom_score_adj && apply_number(a->oom_score_adj, "os/linux/oom-score-adj", l, e) < 0))
		return -1;
	return 0;
}
