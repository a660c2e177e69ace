/* SPDX-License-Identifier: Apache-2.0
 * actool validate - checks images, unpacked layouts and manifests, and tells everything that is wrong with them
 *
 * Several files are looked at side by side, one on each processor; what was found is printed in the order in which they
 * were named, and no more of it is kept than a few files' worth.
 */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "applets/actool/actool.h"
#include "applets/actool/report.h"
#include "applets/actool/subject.h"
#include "applets/commands.h"
#include "applets/ui.h"
#include "core/base/thread.h"

#define STATUS_INVALID 1
#define STATUS_UNREAD  3 /* before all else: whoever gets 1 may rely on all files having been read */

struct validate_opts {
	struct actool_globals g;
	enum subject_type     type;
	enum report_format    format;
	bool                  strict;
	struct policy         policy;
	struct passphrase_opts passphrase;
};

static int set_type(void *opts, const char *arg, struct err *e)
{
	struct validate_opts *o = opts;

	o->type = subject_type_find(arg);
	if (o->type == SUBJECT_UNKNOWN)
		return err_set(e, EINVAL, "want appimage, layout or manifest, got \"%s\"", arg);
	return 0;
}

static int set_profile(void *opts, const char *arg, struct err *e)
{
	struct validate_opts *o = opts;

	if (!strcmp(arg, "security"))
		o->policy.profile = POLICY_SECURITY;
	else if (!strcmp(arg, "appc"))
		o->policy.profile = POLICY_APPC;
	else
		return err_set(e, EINVAL, "want security or appc, got \"%s\"", arg);
	return 0;
}

static int set_format(void *opts, const char *arg, struct err *e)
{
	return report_format(arg, &((struct validate_opts *)opts)->format, e);
}

static int set_error(void *opts, const char *arg, struct err *e)
{
	return policy_choose(&((struct validate_opts *)opts)->policy, arg, FINDING_ERROR, e);
}

static int set_ignore(void *opts, const char *arg, struct err *e)
{
	return policy_choose(&((struct validate_opts *)opts)->policy, arg, FINDING_IGNORED, e);
}

static const struct opt validate_opts[] = {
	OPT_CALL(0, "type", "TYPE", set_type, "appimage, layout or manifest; without it, what the file looks like"),
	OPT_CALL(0, "profile", "PROFILE", set_profile,
		 "security (the default): what breaks or harms, and warnings; appc: what the specification demands"),
	OPT_CALL(0, "error", "RULE", set_error, "what RULE finds is an error; may be repeated"),
	OPT_CALL(0, "ignore", "RULE", set_ignore, "what RULE finds is not told and does not count; may be repeated"),
	OPT_BOOL(0, "strict", struct validate_opts, strict, "files with warnings are not valid"),
	OPT_CALL(0, "format", "FORMAT", set_format, "json, json-pretty or sarif: one document on stdout"),
	OPT_PART("Encrypted images", passphrase_opts, struct validate_opts, passphrase),
	OPT_PART("Global options", actool_globals_opts, struct validate_opts, g),
	OPT_END
};

/* ---- side by side ---- */

struct batch {
	const struct subject_how *how;
	char                    **files;
	size_t                    n;
	pthread_mutex_t           lock;
	pthread_cond_t            changed;
	/* under the lock */
	size_t                    taken, printed; /* files that somebody looks at, or has; that are done with */
	size_t                    n_slots;        /* that many results wait to be printed, at most */
	struct slot {
		struct subject s;
		bool           ready;
	} *slots; /* of file i: i % n_slots */
};

#define STACK_BYTES (8u << 20) /* recursion: layouts are as deep as paths are long */

static void *run_worker(void *arg)
{
	struct batch *b = arg;

	pthread_mutex_lock(&b->lock);
	while (b->taken < b->n) {
		if (b->taken >= b->printed + b->n_slots) {
			pthread_cond_wait(&b->changed, &b->lock);
			continue;
		}
		size_t i = b->taken++;
		struct slot *slot = &b->slots[i % b->n_slots];
		pthread_mutex_unlock(&b->lock);
		slot->s = (struct subject){ .file = b->files[i] };
		subject_check(&slot->s, b->how);
		pthread_mutex_lock(&b->lock);
		slot->ready = true;
		pthread_cond_broadcast(&b->changed);
	}
	pthread_mutex_unlock(&b->lock);
	return NULL;
}

/* ---- the whole ---- */

static int worst(int status, const struct subject *s, bool strict)
{
	int is = s->unread ? STATUS_UNREAD : subject_ok(s, strict) ? 0 : STATUS_INVALID;

	return is > status ? is : status;
}

static int print_batch(struct batch *b, struct report *r, int *status, struct err *e)
{
	int failed = 0;

	for (size_t i = 0; i < b->n; i++) {
		struct slot *slot = &b->slots[i % b->n_slots];
		pthread_mutex_lock(&b->lock);
		while (!slot->ready)
			pthread_cond_wait(&b->changed, &b->lock);
		pthread_mutex_unlock(&b->lock);
		/* nobody reads on: all the same the threads have to come to their end */
		if (failed == 0)
			failed = report_subject(r, &slot->s, e);
		*status = worst(*status, &slot->s, r->strict);
		subject_free(&slot->s);
		pthread_mutex_lock(&b->lock);
		slot->ready = false;
		b->printed++;
		if (failed < 0)
			b->n = b->taken < b->n ? b->taken : b->n;
		pthread_cond_broadcast(&b->changed);
		pthread_mutex_unlock(&b->lock);
	}
	return failed;
}

/* 1: done; 0: there are no threads to be had */
static int check_side_by_side(const struct subject_how *how, char **files, size_t n, unsigned jobs, struct report *r,
			      int *status, struct err *e)
{
	struct batch b = { .how = how, .files = files, .n = n, .n_slots = 4 * (size_t)jobs };
	pthread_t *threads = xmalloc(jobs * sizeof(*threads));
	unsigned started = 0;
	int done = 0;

	b.slots = xmalloc(b.n_slots * sizeof(*b.slots));
	pthread_mutex_init(&b.lock, NULL);
	pthread_cond_init(&b.changed, NULL);
	while (started < jobs && thread_start(&threads[started], NULL, STACK_BYTES, run_worker, &b) == 0)
		started++;
	if (started)
		done = print_batch(&b, r, status, e) < 0 ? -1 : 1;
	while (started)
		pthread_join(threads[--started], NULL);
	pthread_cond_destroy(&b.changed);
	pthread_mutex_destroy(&b.lock);
	free(b.slots);
	free(threads);
	return done;
}

static int check_one_by_one(const struct subject_how *how, char **files, size_t n, struct report *r, int *status,
			    struct err *e)
{
	for (size_t i = 0; i < n; i++) {
		struct subject s = { .file = files[i] };
		subject_check(&s, how);
		int failed = report_subject(r, &s, e);
		*status = worst(*status, &s, r->strict);
		subject_free(&s);
		if (failed < 0)
			return -1;
	}
	return 0;
}

/* A file on each processor, or with fewer files than processors a share of them for each. */
static int check_all(const struct validate_opts *o, char **files, size_t n, struct report *r, int *status, struct err *e)
{
	struct subject_how how = {
		.policy = &o->policy, .type = o->type, .passphrase = &o->passphrase,
		.digest = o->format == REPORT_JSON || o->format == REPORT_JSON_PRETTY, /* which tell the image's ID */
	};
	unsigned processors = thread_processors();
	unsigned jobs = n < processors ? (unsigned)n : processors;
	int done = 0;

	how.threads = processors / jobs;
	if (jobs > 1)
		done = check_side_by_side(&how, files, n, jobs, r, status, e);
	if (done)
		return done < 0 ? -1 : 0;
	how.threads = processors;
	how.progress = true;
	return check_one_by_one(&how, files, n, r, status, e);
}

static int check_operands(const struct validate_opts *o, int argc, char **argv, struct err *e)
{
	int inputs = 0;

	if (!argc)
		return err_set(e, EINVAL, "must pass one or more files (see --help)");
	for (int i = 0; i < argc; i++) {
		inputs += !strcmp(argv[i], SUBJECT_STDIN);
		if (passphrase_check(&o->passphrase, argv[i], e) < 0)
			return -1;
	}
	return inputs > 1 ? err_set(e, EINVAL, "standard input (-) can be read only once") : 0;
}

static int validate_run(void *opts, int argc, char **argv, struct err *e)
{
	struct validate_opts *o = opts;
	struct report r = { .format = o->format, .debug = o->g.debug, .strict = o->strict };
	int status = 0;

	if (check_operands(o, argc, argv, e) < 0)
		return CMD_USAGE;
	policy_start(&o->policy);
	if (report_begin(&r, e) < 0 || check_all(o, argv, (size_t)argc, &r, &status, e) < 0 ||
	    report_end(&r, status, e) < 0)
		return -1;
	return status;
}

const struct cmd actool_validate_cmd = {
	.name = "validate", .args = "FILE...", .summary = "Check images, image layouts and manifests.",
	.more = "FILE may be - for standard input. Says nothing and exits with 0 when all is well.\n"
		"Each finding is two lines on stderr: FILE: error: WHERE: TEXT [RULE], and the section\n"
		"of the specification, the byte and the remedy; actool rules lists all rules.\n\n"
		"Exit status: 0 all files are valid; 1 some are not; 2 wrong usage; 3 some could not be\n"
		"read. Warnings do not count unless --strict is given.\n",
	.opts = validate_opts, .opts_size = sizeof(struct validate_opts), .inherits = true, .run = validate_run,
};
