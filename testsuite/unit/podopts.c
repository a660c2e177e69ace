/* SPDX-License-Identifier: Apache-2.0
 * podopts - the command line that describes a pod: what belongs to which image, and what is refused
 */
#include "applets/rkt/podopts.h"

#include <errno.h>

#include "testsuite/unit/unit.h"

static int operand(void *opts, const char *arg, struct err *e)
{
	return podopts_operand(opts, arg, e);
}

static int rest(void *opts, int argc, char **argv, struct err *e)
{
	return podopts_rest(opts, argc, argv, e);
}

struct line {
	struct podopts o;
	struct err     e;
};

static const struct opt table[] = {
	OPT_PART("Pod", podopts_pod, struct line, o),
	OPT_PART("App", podopts_app, struct line, o),
	OPT_PART("Images", podopts_images, struct line, o),
	OPT_PART("Stage 1", stage1_opts_table, struct line, o.stage1),
	OPT_END
};

static const struct cmd cmd = {
	.name = "run",
	.summary = "",
	.opts = table,
	.opts_size = sizeof(struct line),
	.operand = operand,
	.rest = rest,
};

/* words are separated by one blank each; parses and checks */
static int parse(struct line *l, const char *text)
{
	static char words[2000];
	char *argv[64], **v = argv;
	int argc = 0;

	*l = (struct line){ .e.msg = "" };
	snprintf(words, sizeof(words), "%s", text);
	for (char *p = strtok(words, " "); p; p = strtok(NULL, " "))
		argv[argc++] = p;
	argv[argc] = NULL;
	if (opt_parse(&cmd, l, &argc, &v, &l->e) != OPT_OK)
		return -1;
	return podopts_check(&l->o, &l->e);
}

static void check_bad(const char *text, const char *why)
{
	struct line l;

	CHECK_INT(parse(&l, text), -1);
	CHECK_HAS(l.e.msg, why);
	podopts_free(&l.o);
}

TEST(one_image, "podopts: options after an image are about that image")
{
	struct line l;

	CHECK_INT(parse(&l, "a.aci --exec=/bin/x --name one --user=1 --group 2 --working-dir=/w "
			    "--memory=64M --cpu 500m "
			    "--supplementary-gids=3,4 --readonly-rootfs --environment=A=b --mount "
			    "volume=v,target=/t "
			    "b.aci --exec /bin/y --readonly-rootfs=false"),
		0);
	REQUIRE(l.o.n_apps == 2);
	const struct podopts_app *a = &l.o.apps[0], *b = &l.o.apps[1];
	CHECK_STR(a->image, "a.aci");
	CHECK_STR(a->exec, "/bin/x");
	CHECK_STR(a->name, "one");
	CHECK_STR(a->user, "1");
	CHECK_STR(a->group, "2");
	CHECK_STR(a->working_dir, "/w");
	CHECK_STR(a->memory, "64M");
	CHECK_STR(a->cpu, "500m");
	CHECK_STR(a->gids, "3,4");
	CHECK(a->read_only);
	CHECK_INT(a->environment.n, 1);
	CHECK_INT(a->mounts.n, 1);
	CHECK_STR(b->image, "b.aci");
	CHECK_STR(b->exec, "/bin/y");
	CHECK(!b->name && !b->user && !b->read_only);
	CHECK_INT(b->mounts.n, 0);
	podopts_free(&l.o);
}

TEST(read_only_last, "podopts: --readonly-rootfs of the last image counts")
{
	struct line l;

	CHECK_INT(parse(&l, "a.aci b.aci --readonly-rootfs=true"), 0);
	REQUIRE(l.o.n_apps == 2);
	CHECK(!l.o.apps[0].read_only);
	CHECK(l.o.apps[1].read_only);
	podopts_free(&l.o);
}

TEST(arguments, "podopts: -- gives arguments to the app, --- ends them")
{
	struct line l;

	CHECK_INT(parse(&l, "a.aci -- --exec -x -- --- b.aci --exec=/y -- z"), 0);
	REQUIRE(l.o.n_apps == 2);
	REQUIRE(l.o.apps[0].args.n == 3);
	CHECK_STR(l.o.apps[0].args.v[0], "--exec");
	CHECK_STR(l.o.apps[0].args.v[1], "-x");
	CHECK_STR(l.o.apps[0].args.v[2], "--");
	REQUIRE(l.o.apps[1].args.n == 1);
	CHECK_STR(l.o.apps[1].args.v[0], "z");
	CHECK(!l.o.apps[0].exec);
	podopts_free(&l.o);
}

TEST(pod_wide, "podopts: --mount and --environment before the first image are for all of them")
{
	struct line l;

	CHECK_INT(parse(&l, "--mount volume=v,target=/t --environment=A=1 --set-env=B=2 a.aci "
			    "--set-env=C=3"),
		0);
	CHECK_INT(l.o.mounts.n, 1);
	CHECK_INT(l.o.env.n, 3);
	REQUIRE(l.o.n_apps == 1);
	CHECK_INT(l.o.apps[0].environment.n, 0);
	podopts_free(&l.o);
}

TEST(old_spellings, "podopts: one dash before long names, and values as separate words")
{
	struct line l;

	CHECK_INT(parse(&l, "-volume v,kind=empty -inherit-env -stage1-image=s.aci a.aci -exec /x"), 0);
	CHECK_INT(l.o.volumes.n, 1);
	CHECK(l.o.inherit_env);
	CHECK_STR(l.o.stage1.image, "s.aci");
	REQUIRE(l.o.n_apps == 1);
	CHECK_STR(l.o.apps[0].exec, "/x");
	podopts_free(&l.o);
}

TEST(needs_image, "podopts: what is about one image must follow one")
{
	check_bad("--exec=/x a.aci", "--exec: must follow an image");
	check_bad("--name=x a.aci", "--name: must follow an image");
	check_bad("--memory=1M a.aci", "--memory: must follow an image");
	check_bad("--readonly-rootfs a.aci", "--readonly-rootfs: must follow an image");
	check_bad("a.aci --- --exec=/x", "--exec: must follow an image");
	check_bad("-- x", "-- must follow an image");
	check_bad("--- a.aci", "--- must follow an image");
	check_bad("a.aci --- ---", "--- must follow an image");
	check_bad("--set-env=A=b", "pod must contain at least one application");
	check_bad("", "pod must contain at least one application");
}

TEST(conflicts, "podopts: --pod-manifest excludes what it would contain")
{
	struct line l;

	CHECK_INT(parse(&l, "--pod-manifest=f --no-overlay"), 0);
	podopts_free(&l.o);
	check_bad("--pod-manifest=f a.aci", "conflicting flags set with --pod-manifest (see --help)");
	check_bad("--pod-manifest=f --volume=v,kind=empty",
		"conflicting flags set with --pod-manifest (see --help)");
	check_bad("--pod-manifest=f --mount=volume=v,target=/t",
		"conflicting flags set with --pod-manifest (see --help)");
	check_bad("--pod-manifest=f --set-env=A=b", "conflicting flags set with --pod-manifest (see --help)");
	check_bad("--pod-manifest=f --set-env-file=x",
		"conflicting flags set with --pod-manifest (see --help)");
	check_bad("--pod-manifest=f --inherit-env", "conflicting flags set with --pod-manifest (see --help)");
}

TEST(bad_values, "podopts: malformed values are refused with the option's name")
{
	check_bad("a.aci --exec=/x --exec=/y", "--exec: given twice for a.aci");
	check_bad("a.aci --name=Not_OK", "--name: \"Not_OK\" is no app name");
	check_bad("a.aci --name=../x", "is no app name");
	check_bad("a.aci --memory=lots", "--memory: \"lots\" is not a quantity");
	check_bad("a.aci --memory=-1", "is not a quantity");
	check_bad("a.aci --memory=16m", "--memory: memory limit of 1 bytes too low");
	check_bad("a.aci --cpu=1x", "--cpu: \"1x\" is not a quantity");
	check_bad("a.aci --supplementary-gids=1,,2", "is not a number");
	check_bad("a.aci --supplementary-gids=1,", "is not a number");
	check_bad("a.aci --supplementary-gids=4294967295", "is more than 4294967294");
	check_bad("a.aci --supplementary-gids=11111111111111111111", "is not a group ID");
	check_bad("a.aci --environment=A", "--environment: \"A\": want NAME=VALUE");
	check_bad("a.aci --set-env==b", "want NAME=VALUE");
	check_bad("a.aci --readonly-rootfs=maybe", "want true or false");
	check_bad("a.aci --mount=volume=v", "want volume=NAME,target=PATH");
	check_bad("a.aci --mount=volume=,target=/x", "want volume=NAME,target=PATH");
	check_bad("a.aci --mount=volume=v,target=/x,target=/y", "want volume=NAME,target=PATH");
	check_bad("a.aci --mount=volume=v,target=/x,", "want volume=NAME,target=PATH");
	check_bad("a.aci --mount=volume=v,target=x", "target must be an absolute path");
	check_bad("a.aci --capsule", "unknown option --capsule");
}

/* ---- volumes ---- */

TEST(host_volume, "podopts: a host volume")
{
	struct pod_manifest m = { 0 };
	struct err e;

	REQUIRE(podopts_volume("data,kind=host,source=/srv/a=b,readOnly=true,recursive=false", &m, &e) == 0);
	const struct appc_volume *v = &m.volumes.v[0];
	CHECK_STR(v->name, "data");
	CHECK_STR(v->kind, "host");
	CHECK_STR(v->source, "/srv/a=b");
	CHECK(v->read_only);
	CHECK_INT(v->recursive, 0);
	CHECK_INT(v->uid, -1);
	pod_manifest_free(&m);
}

TEST(empty_volume, "podopts: an empty volume")
{
	struct pod_manifest m = { 0 };
	struct err e;

	REQUIRE(podopts_volume("data,kind=empty,mode=0700,uid=5,gid=6", &m, &e) == 0);
	const struct appc_volume *v = &m.volumes.v[0];
	CHECK_STR(v->kind, "empty");
	CHECK_STR(v->mode, "0700");
	CHECK_INT(v->uid, 5);
	CHECK_INT(v->gid, 6);
	CHECK_INT(v->recursive, -1);
	CHECK(!v->source);
	pod_manifest_free(&m);
}

TEST(bind_volume, "podopts: the oldest spelling names a host volume after its path")
{
	struct pod_manifest m = { 0 };
	struct err e;

	REQUIRE(podopts_volume("bind:/opt/tenant1/Data_Base/", &m, &e) == 0);
	REQUIRE(podopts_volume("bind:/srv/x,readOnly=true", &m, &e) == 0);
	CHECK_STR(m.volumes.v[0].name, "data-base");
	CHECK_STR(m.volumes.v[0].source, "/opt/tenant1/Data_Base/");
	CHECK_STR(m.volumes.v[1].name, "x");
	CHECK(m.volumes.v[1].read_only);
	pod_manifest_free(&m);
}

static void check_bad_volume(const char *text, const char *why)
{
	struct pod_manifest m = { 0 };
	struct err e = { .msg = "" };

	CHECK_INT(podopts_volume(text, &m, &e), -1);
	CHECK_HAS(e.msg, why);
	pod_manifest_free(&m);
}

TEST(bad_volumes, "podopts: malformed volumes are refused with a reason")
{
	check_bad_volume("data", "kind is missing");
	check_bad_volume("data,", "kind is missing");
	check_bad_volume(",kind=empty", "is no volume name");
	check_bad_volume("../x,kind=empty", "is no volume name");
	check_bad_volume("data,kind=nfs", "unknown kind \"nfs\"");
	check_bad_volume("data,kind=host", "source is missing");
	check_bad_volume("data,kind=host,source=rel", "must be an absolute path");
	check_bad_volume("data,kind=host,source=/x,mode=0700", "are for empty volumes");
	check_bad_volume("data,kind=empty,source=/x", "has no source");
	check_bad_volume("data,kind=empty,mode=0999", "is not an octal mode");
	check_bad_volume("data,kind=empty,mode=17777", "more than 7777");
	check_bad_volume("data,kind=empty,uid=root", "is not a number");
	check_bad_volume("data,kind=empty,uid=4294967295", "is more than");
	check_bad_volume("data,kind=empty,uid=-1", "is not a number");
	check_bad_volume("data,kind=empty,readOnly=yes", "want true or false");
	check_bad_volume("data,kind=empty,kind=host", "kind is given twice");
	check_bad_volume("data,kind=empty,x", "want KEY=VALUE");
	check_bad_volume("data,kind=empty,size=1", "unknown; known: kind");
	check_bad_volume("bind:", "no name can be made of");
	check_bad_volume("bind:rel", "must be an absolute path");
}

TEST(duplicate_volume, "podopts: two volumes of one name are refused")
{
	struct pod_manifest m = { 0 };
	struct err e;

	CHECK_INT(podopts_volume("data,kind=empty", &m, &e), 0);
	CHECK_INT(podopts_volume("data,kind=host,source=/x", &m, &e), -1);
	CHECK_HAS(e.msg, "duplicate volume name");
	pod_manifest_free(&m);
}

static void check_seccomp(const char *arg, bool want_retain, const char *want)
{
	cJSON *value = NULL;
	bool retain = !want_retain;
	struct err e = { 0 };

	if (podopts_seccomp(arg, &retain, &value, &e) < 0) {
		CHECK_STR(e.msg, "");
		return;
	}
	char *text = cJSON_PrintUnformatted(value);
	CHECK_INT(retain, want_retain);
	CHECK_STR(text, want);
	free(text);
	cJSON_Delete(value);
}

TEST(seccomp, "podopts: --seccomp is the isolator of its mode, in whatever order its words come")
{
	static const char *const bad[] = { "", ",", "mode=retain", "read", "mode=retain,", "mode=retain,,read", "mode=", "mode=,read",
		"mode=Retain,read", "mode=retain,read,mode=retain", "mode=retain,errno=,errno=EPERM,read", "mode=retain,x=y,read",
		"mode=retain,=read", "errno=EPERM,read", "mode=retain,errno=EPERM" };

	check_seccomp("mode=retain,read", true, "{\"set\":[\"read\"]}");
	check_seccomp("mode=remove,errno=ENOTSUP,socket", false, "{\"set\":[\"socket\"],\"errno\":\"ENOTSUP\"}");
	check_seccomp("@rkt/default-whitelist,umount,errno=,mode=retain", true,
		"{\"set\":[\"@rkt/default-whitelist\",\"umount\"],\"errno\":\"\"}");
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		cJSON *value = NULL;
		bool retain;
		struct err e = { 0 };
		CHECK_INT(podopts_seccomp(bad[i], &retain, &value, &e), -1);
		CHECK(e.code == EINVAL && *e.msg);
	}
}

UNIT_MAIN(one_image, read_only_last, arguments, pod_wide, old_spellings, needs_image, conflicts, bad_values,
	  host_volume, empty_volume, bind_volume, bad_volumes, duplicate_volume,
	  seccomp)
