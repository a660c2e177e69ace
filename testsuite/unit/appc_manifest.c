/* SPDX-License-Identifier: Apache-2.0
 * appc_manifest - unit tests of reading, writing, copying and changing manifests
 *
 * Reads testsuite/data/manifests, so it runs from the top of the tree.
 */
#include "core/appc/manifest.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <time.h>

#include "core/base/fd.h"
#include "core/base/json.h"
#include "testsuite/unit/manifest_equal.h"
#include "testsuite/unit/unit.h"

#define DATA "testsuite/data/manifests/"

union any_manifest { struct image_manifest image; struct pod_manifest pod; };

/* an image or a pod, as the first letter of a sample's name says */
static bool is_image(const char *name)
{
	return *name == 'i';
}

static const struct schema *schema_of(const char *name)
{
	return is_image(name) ? &image_schema : &pod_schema;
}

static bool parse(const char *name, const char *text, size_t len, union any_manifest *m, struct findings *f)
{
	return is_image(name) ? image_manifest_parse(text, len, &m->image, f)
			      : pod_manifest_parse(text, len, &m->pod, f);
}

static void print(const char *name, const union any_manifest *m, bool pretty, struct buf *b)
{
	if (is_image(name))
		image_manifest_print(&m->image, pretty, b);
	else
		pod_manifest_print(&m->pod, pretty, b);
}

static void drop(const char *name, union any_manifest *m)
{
	if (is_image(name))
		image_manifest_free(&m->image);
	else
		pod_manifest_free(&m->pod);
}

static bool is_zero(const void *p, size_t n)
{
	const char *c = p;

	while (n && !*c) {
		c++;
		n--;
	}
	return !n;
}

static void each_sample(const char *dir, void (*fn)(const char *name, const char *text, size_t len))
{
	struct err e = { 0 };
	unsigned n = 0;
	auto_dir DIR *d = opendir(dir);

	for (struct dirent *de; d && (de = readdir(d));) {
		auto_free char *text = NULL;
		size_t len;
		if (!strstr(de->d_name, ".json"))
			continue;
		int got = fd_read_file(dirfd(d), de->d_name, APPC_MANIFEST_MAX, &text, &len, &e);
		CHECK_INT(got, 0);
		if (got == 0)
			fn(de->d_name, text, len);
		n++;
	}
	CHECK(n > 4); /* else: is this the top of the tree? */
}

static void round_trip(const char *name, const char *text, size_t len)
{
	for (int pretty = 0; pretty < 2; pretty++) {
		union any_manifest a, b;
		struct findings f = { 0 };
		struct buf out = { 0 }, again = { 0 };
		bool good = parse(name, text, len, &a, &f);
		if (!good || f.n)
			printf("# %s: %s\n", name, f.n ? f.v[0].text : "refused");
		CHECK(good && !f.n);
		print(name, &a, pretty, &out);
		CHECK(!out.failed && parse(name, out.data, out.len, &b, &f));
		CHECK(schema_equal(schema_of(name), &a, &b));
		print(name, &b, pretty, &again);
		CHECK_STR(again.data, out.data);
		drop(name, &a);
		drop(name, &b);
		CHECK(is_zero(&a, is_image(name) ? sizeof(a.image) : sizeof(a.pod)));
		buf_free(&out);
		buf_free(&again);
		findings_free(&f);
	}
}

TEST(round_trips, "manifests: samples are read, written and read again without a change")
{
	each_sample(DATA "valid", round_trip);
}

/* members that say what is so anyway are not written; the samples "full" have none of them */
static void nothing_lost(const char *name, const char *text, size_t len)
{
	union any_manifest m;
	struct findings f = { 0 };
	struct buf out = { 0 };
	struct err e = { 0 };

	if (!strstr(name, "full"))
		return;
	CHECK(parse(name, text, len, &m, &f));
	print(name, &m, false, &out);
	auto_json cJSON *was = json_parse_err(text, len, &e), *is = json_parse_err(out.data, out.len, &e);
	/* false is the default of recursive's neighbours, but recursive itself is three-valued */
	CHECK(cJSON_Compare(was, is, true));
	drop(name, &m);
	buf_free(&out);
	findings_free(&f);
}

TEST(complete, "manifests: every member of the full samples is written back, unknown ones too")
{
	each_sample(DATA "valid", nothing_lost);
}

/* invalid/KIND-RULE[.what].json must be refused for that rule first */
static void refused(const char *name, const char *text, size_t len)
{
	union any_manifest m;
	struct findings f = { 0 };
	const char *rule = strchr(name, '-') + 1;
	size_t n = strcspn(rule, ".");
	bool good = parse(name, text, len, &m, &f);

	bool first = f.n && strlen(f.v[0].rule) == n && !strncmp(f.v[0].rule, rule, n);
	if (good || !first)
		printf("# %s: %s\n", name, f.n ? f.v[0].rule : "accepted");
	CHECK(!good);
	CHECK(first);
	CHECK(is_zero(&m, is_image(name) ? sizeof(m.image) : sizeof(m.pod)));
	findings_free(&f);
}

TEST(invalid, "manifests: invalid samples are refused for the rule in their name")
{
	each_sample(DATA "invalid", refused);
}

static void truncations(const char *name, const char *text, size_t len)
{
	union any_manifest m;

	while (len && strchr(" \n", text[len - 1]))
		len--;
	for (size_t n = 0; n < len; n++) {
		struct findings f = { 0 };
		char *cut = malloc(n ? n : 1); /* of just that size, for the address sanitizer */
		if (!cut)
			abort();
		memcpy(cut, text, n);
		bool good = parse(name, cut, n, &m, &f);
		if (good)
			printf("# %s: valid when cut at %zu\n", name, n);
		CHECK(!good);
		CHECK(f.n == 1 && !strcmp(f.v[0].rule, "json"));
		findings_free(&f);
		free(cut);
	}
}

TEST(cut_off, "manifests: cut off at any byte, they are refused as JSON")
{
	each_sample(DATA "valid", truncations);
}

/* one byte changed anywhere: any verdict, but no crash, and what is accepted is written back */
static void flips(const char *name, const char *text, size_t len)
{
	static const char with[] = "\"\\{}[],:0-9.eEax \x01\x80\xff";
	auto_free char *copy = malloc(len);

	REQUIRE(copy != NULL);
	for (size_t i = 0; i < len; i++) {
		union any_manifest m;
		struct findings f = { 0 };
		struct buf b = { 0 };
		memcpy(copy, text, len);
		copy[i] = with[i % (sizeof(with) - 1)];
		if (parse(name, copy, len, &m, &f)) {
			print(name, &m, false, &b);
			CHECK(!b.failed);
			drop(name, &m);
		} else {
			CHECK(f.errors > 0);
		}
		buf_free(&b);
		findings_free(&f);
	}
}

TEST(damaged, "manifests: a damaged byte anywhere does no harm")
{
	each_sample(DATA "valid", flips);
}

TEST(all_reported, "findings: all of them, in order, each once, with pointer and section")
{
	static const char text[] =
		"{\"acKind\":\"X\",\"acVersion\":\"y\",\"labels\":[7,{\"name\":\"OS\"}],\"app\":{\"exec\":{},\"user\":\"\","
		"\"ports\":[{\"name\":\"p\",\"port\":\"80\"}]},\"annotations\":{}}";
	static const struct { const char *rule, *where; } want[] = {
		{ "json-type", "/labels/0" }, { "json-type", "/app/exec" }, { "json-type", "/app/ports/0/port" },
		{ "json-type", "/annotations" }, { "ac-kind", "/acKind" }, { "ac-version", "/acVersion" },
		{ "member-required", "/name" }, { "label-name", "/labels/1/name" },
		{ "member-required", "/labels/1/value" }, { "app-user", "/app/user" },
		{ "member-required", "/app/group" }, { "member-required", "/app/ports/0/protocol" },
	};
	struct findings f = { 0 };
	struct err e = { 0 };
	struct image_manifest m;

	CHECK(!image_manifest_parse(text, strlen(text), &m, &f));
	CHECK_INT(f.n, sizeof(want) / sizeof(*want));
	CHECK_INT(f.errors, f.n);
	for (size_t i = 0; i < f.n && i < sizeof(want) / sizeof(*want); i++) {
		CHECK_STR(f.v[i].rule, want[i].rule);
		CHECK_STR(f.v[i].where, want[i].where);
		CHECK(strstr(f.v[i].section, "spec/"));
		CHECK(*f.v[i].text);
	}
	CHECK_INT(findings_err(&f, &e), -1);
	CHECK_STR(e.msg, "/labels/0: want an object, got a number (and 11 more errors)");
	CHECK_INT(e.code, EINVAL);
	findings_free(&f);
	CHECK_INT(findings_err(&f, &e), 0);
}

TEST(json_errors, "findings: a JSON error has its byte and pointer")
{
	static const char text[] = "{\"acKind\":\"ImageManifest\",\"labels\":[{\"name\":\"a\",}]}";
	struct findings f = { 0 };
	struct image_manifest m;

	CHECK(!image_manifest_parse(text, strlen(text), &m, &f));
	CHECK_INT(f.n, 1);
	CHECK_STR(f.v[0].rule, "json");
	CHECK_STR(f.v[0].where, "/labels/0");
	CHECK_INT(f.v[0].offset, strlen(text) - 3);
	findings_free(&f);
	CHECK(!image_manifest_parse("[]", 2, &m, &f));
	CHECK(!image_manifest_parse("", 0, &m, &f));
	CHECK(!image_manifest_parse("null", 4, &m, &f));
	CHECK_INT(f.errors, 3);
	findings_free(&f);
}

TEST(rule_table, "findings: the table of rules is complete and its ids are unique")
{
	const struct appc_rule *r = appc_rules();
	size_t n = 0;

	for (; r[n].id; n++) {
		CHECK(*r[n].section && *r[n].text && *r[n].remedy && r[n].flags & RULE_BOTH);
		for (size_t k = 0; k < n; k++)
			CHECK(strcmp(r[n].id, r[k].id));
	}
	CHECK_INT(n, RULE_COUNT);
}

static double seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

#define HEAD "{\"acKind\":\"ImageManifest\",\"acVersion\":\"0.8.11\",\"name\":\"a\""

/* HEAD, then @before, @n times @each with a number in it, then @after */
static void build(struct buf *b, const char *before, size_t n, const char *each, const char *each_end, const char *after)
{
	buf_str(b, HEAD);
	buf_str(b, before);
	for (size_t i = 0; i < n; i++)
		buf_fmt(b, "%s%s%zu%s", i ? "," : "", each, i, each_end);
	buf_str(b, after);
}

TEST(hostile_sizes, "manifests: the largest of each kind are judged in less than 5 s")
{
	static const struct { const char *before, *each, *each_end, *after; size_t n; bool good; const char *rule; } c[] = {
		{ ",", "\"unknown-", "\":{}", "}", 100000, true, NULL },
		{ ",\"x\":{", "\"unknown-", "\":[]", "}}", 100000, true, NULL },
		{ ",\"labels\":[", "{\"name\":\"l", "\",\"value\":\"\"}", "]}", 10000, true, NULL },
		{ ",\"labels\":[", "{\"name\":\"l", "\",\"value\":\"\"}", "]}", 10001, false, "manifest-size" },
		{ ",\"labels\":[", "{\"name\":\"l\",\"x\":", ",\"value\":\"\"}", "]}", 10000, false, "label-name" },
		{ ",\"labels\":[", "", "", "]}", 10000, false, "json-type" },
		{ ",\"pathWhitelist\":[", "\"/a", "\"", "]}", 100000, true, NULL },
		{ ",\"pathWhitelist\":[", "\"a", "\"", "]}", 100000, false, "path-whitelist" },
		{ ",\"pathWhitelist\":[", "", "", "]}", 100000, false, "json-type" },
		{ ",\"app\":{\"exec\":[\"/a\"],\"user\":\"0\",\"group\":\"0\",\"isolators\":[",
		  "{\"name\":\"resource/memory\",\"value\":{\"limit\":\"1\"},\"x\":", "}", "]}}", 10000, true, NULL },
		{ ",\"app\":{\"exec\":[\"/a\"],\"user\":\"0\",\"group\":\"0\",\"userLabels\":{", "\"k", "\":\"v\"", "}}}",
		  100000, true, NULL },
	};

	for (size_t i = 0; i < sizeof(c) / sizeof(*c); i++) {
		struct buf b = { 0 };
		struct findings f = { 0 };
		struct image_manifest m;
		double start = seconds();
		build(&b, c[i].before, c[i].n, c[i].each, c[i].each_end, c[i].after);
		REQUIRE(b.len <= APPC_MANIFEST_MAX);
		bool good = image_manifest_parse(b.data, b.len, &m, &f);
		if (good != c[i].good)
			printf("# case %zu: %s\n", i, f.n ? f.v[0].text : "accepted");
		CHECK(good == c[i].good);
		CHECK(f.n <= FINDINGS_MAX);
		if (c[i].rule)
			CHECK_STR(f.n ? f.v[0].rule : NULL, c[i].rule);
		image_manifest_free(&m);
		findings_free(&f);
		buf_free(&b);
		double took = seconds() - start;
		if (took >= 5)
			printf("# case %zu took %.1f s\n", i, took);
		CHECK(took < 5);
	}
}

TEST(too_long, "manifests: more than 4 MiB are refused unread, exactly 4 MiB are not")
{
	struct findings f = { 0 };
	struct image_manifest m;
	char *text = malloc(APPC_MANIFEST_MAX + 1);

	REQUIRE(text != NULL);
	memset(text, ' ', APPC_MANIFEST_MAX + 1);
	memcpy(text, HEAD "}", strlen(HEAD "}"));
	CHECK(image_manifest_parse(text, APPC_MANIFEST_MAX, &m, &f));
	image_manifest_free(&m);
	CHECK(!image_manifest_parse(text, APPC_MANIFEST_MAX + 1, &m, &f));
	CHECK_INT(f.n, 1);
	CHECK_STR(f.v[0].rule, "manifest-size");
	findings_free(&f);
	free(text);
}

TEST(deep, "manifests: unknown members nest as deep as JSON may, and are written back")
{
	struct findings f = { 0 };
	struct image_manifest m;
	struct buf b = { 0 }, out = { 0 };

	for (int levels = 63; levels <= 64; levels++) {
		buf_str(&b, HEAD ",\"x\":");
		for (int i = 0; i < levels; i++)
			buf_str(&b, "[");
		for (int i = 0; i < levels; i++)
			buf_str(&b, "]");
		buf_str(&b, "}");
		bool good = image_manifest_parse(b.data, b.len, &m, &f);
		CHECK(good == (levels == 63));
		if (good) {
			image_manifest_print(&m, false, &out);
			CHECK_STR(out.data, b.data);
			image_manifest_free(&m);
		}
		buf_free(&out);
		buf_free(&b);
	}
	findings_free(&f);
}

TEST(defaults, "manifests: what is not said reads as the header says")
{
	static const char image[] = HEAD ",\"app\":{\"exec\":[\"/a\"],\"user\":\"0\",\"group\":\"0\",\"workingDirectory\":\"\","
		"\"ports\":[{\"name\":\"p\",\"protocol\":\"tcp\",\"port\":1}]},\"dependencies\":[{\"imageName\":\"b\"}]}";
	static const char pod[] = "{\"acKind\":\"PodManifest\",\"acVersion\":\"0.8.11\",\"apps\":[{\"name\":\"a\","
		"\"image\":{\"id\":\"sha512-a\"}}],\"volumes\":[{\"name\":\"v\",\"kind\":\"empty\"}]}";
	struct findings f = { 0 };
	struct image_manifest im;
	struct pod_manifest pm;

	REQUIRE(image_manifest_parse(image, strlen(image), &im, &f));
	CHECK_STR(im.app->working_dir, NULL);
	CHECK_INT(im.app->ports.v[0].count, 1);
	CHECK_INT(im.dependencies.v[0].size, 0);
	CHECK(!im.extra && !im.app->user_labels);
	image_manifest_free(&im);
	REQUIRE(pod_manifest_parse(pod, strlen(pod), &pm, &f));
	CHECK_INT(pm.volumes.v[0].recursive, -1);
	CHECK_INT(pm.volumes.v[0].uid, -1);
	CHECK_INT(pm.volumes.v[0].gid, -1);
	CHECK_STR(pm.volumes.v[0].mode, NULL);
	CHECK(!pm.apps.v[0].app && !pm.apps.v[0].image_name);
	pod_manifest_free(&pm);
	CHECK_INT(f.n, 0);
	findings_free(&f);
}

TEST(labels_wanted, "manifests: missing os and arch labels are errors where they are asked for")
{
	struct findings f = { 0 };
	struct err e = { 0 };
	struct image_manifest m = { 0 };

	CHECK(!image_manifest_check_labels(&m, &f));
	CHECK_INT(f.errors, 2);
	CHECK_HAS(f.v[0].text, "missing os label in the image manifest");
	CHECK_HAS(f.v[1].text, "missing arch label in the image manifest");
	findings_free(&f);
	CHECK_INT(appc_pairs_set(&m.labels, "os", "linux", &e), 0);
	CHECK(!image_manifest_check_labels(&m, &f));
	CHECK_INT(f.errors, 1);
	CHECK_INT(appc_pairs_set(&m.labels, "arch", "amd64", &e), 0);
	CHECK(image_manifest_check_labels(&m, &f));
	findings_free(&f);
	image_manifest_free(&m);
}

TEST(copies, "manifests: a copy of an app is equal and independent")
{
	struct findings f = { 0 };
	struct err e = { 0 };
	struct image_manifest m;
	char *text;
	size_t len;

	if (fd_read_file(AT_FDCWD, DATA "valid/image-full.json", APPC_MANIFEST_MAX, &text, &len, &e) < 0) {
		CHECK_STR(e.msg, "");
		return;
	}
	REQUIRE(image_manifest_parse(text, len, &m, &f));
	struct appc_app *copy = appc_app_copy(m.app, &e);
	REQUIRE(copy != NULL);
	CHECK(schema_equal(&app_schema, m.app, copy));
	CHECK(copy->exec.v[0] != m.app->exec.v[0]);
	image_manifest_free(&m);
	CHECK_STR(copy->exec.v[0], "/usr/bin/kv-server");
	CHECK_INT(copy->supplementary_gids.v[2], 4294967294);
	CHECK_HAS(copy->environment.v[2].value, "\xe2\x82\xac\xf0\x9f\x9a\x80");
	appc_app_free(copy);
	appc_app_free(NULL);
	findings_free(&f);
	free(text);
}

/* a pod as rkt run builds it */
static void build_pod(struct pod_manifest *m, struct err *e)
{
	CHECK_INT(appc_string_set(&m->ac_kind, "PodManifest", e), 0);
	CHECK_INT(appc_string_set(&m->ac_version, APPC_VERSION, e), 0);
	for (int i = 0; i < 5; i++) {
		char name[16];
		struct appc_runtime_app *ra = pod_manifest_add_app(m, e);
		snprintf(name, sizeof(name), "app%d", i);
		CHECK_INT(appc_string_set(&ra->name, name, e), 0);
		CHECK_INT(appc_string_set(&ra->image_id, "sha512-ab", e), 0);
		struct appc_volume *v = pod_manifest_add_volume(m, e);
		CHECK_INT(appc_string_set(&v->name, name, e), 0);
		CHECK_INT(appc_string_set(&v->kind, "empty", e), 0);
		for (int k = 0; k < 3; k++) {
			struct appc_mount *mount = appc_mounts_add(&ra->mounts, e);
			CHECK_INT(appc_string_set(&mount->volume, name, e), 0);
			snprintf(name + 4, sizeof(name) - 4, "%d", k);
			CHECK_INT(appc_string_set(&mount->path, "/m", e), 0);
			mount->path[1] = (char)('a' + k);
			name[4] = 0;
		}
	}
}

TEST(building, "manifests: built in memory, checked, written")
{
	struct pod_manifest m = { 0 };
	struct findings f = { 0 };
	struct err e = { 0 };
	struct buf b = { 0 };

	build_pod(&m, &e);
	CHECK(pod_manifest_check(&m, &f));
	CHECK_INT(f.n, 0);
	appc_mounts_remove(&m.apps.v[0].mounts, 1);
	CHECK_INT(m.apps.v[0].mounts.n, 2);
	CHECK_STR(m.apps.v[0].mounts.v[1].path, "/c");
	appc_mounts_remove(&m.apps.v[0].mounts, 1);
	appc_mounts_remove(&m.apps.v[0].mounts, 0);
	CHECK_INT(m.apps.v[0].mounts.n, 0);
	CHECK_INT(appc_pairs_set(&m.annotations, "a", "1", &e), 0);
	CHECK_INT(appc_pairs_set(&m.annotations, "a", "2", &e), 0);
	CHECK_INT(m.annotations.n, 1);
	CHECK_STR(appc_pair_find(&m.annotations, "a"), "2");
	CHECK_STR(appc_pair_find(&m.annotations, "b"), NULL);
	CHECK_INT(appc_isolators_set(&m.isolators, "x", cJSON_CreateNumber(1), &e), 0);
	CHECK_INT(appc_isolators_set(&m.isolators, "x", cJSON_CreateNumber(2), &e), 0);
	CHECK_INT(m.isolators.n, 1);
	CHECK_INT(m.isolators.v[0].value->valuedouble, 2);
	pod_manifest_print(&m, false, &b);
	CHECK_HAS(b.data, "{\"acVersion\":\"0.8.11\",\"acKind\":\"PodManifest\",\"apps\":[{\"name\":\"app0\","
			  "\"image\":{\"id\":\"sha512-ab\"}},{\"name\":\"app1\"");
	CHECK_HAS(b.data, "{\"name\":\"app4\",\"kind\":\"empty\"}],\"isolators\":[{\"name\":\"x\",\"value\":2}]");
	buf_free(&b);
	CHECK_INT(appc_string_set(&m.volumes.v[3].name, "app0", &e), 0);
	CHECK(!pod_manifest_check(&m, &f));
	CHECK_INT(findings_err(&f, &e), -1);
	CHECK_HAS(e.msg, "duplicate volume name \"app0\"");
	findings_free(&f);
	pod_manifest_free(&m);
	CHECK(pod_manifest_check(&m, &f) == false);
	findings_free(&f);
}

TEST(lists, "manifests: strings and numbers are added and cleared")
{
	struct appc_strings s = { 0 };
	struct appc_ints v = { 0 };
	struct err e = { 0 };

	for (int i = 0; i < 100; i++) {
		CHECK_INT(appc_strings_add(&s, "x", &e), 0);
		CHECK_INT(appc_ints_add(&v, i, &e), 0);
	}
	CHECK_INT(s.n, 100);
	CHECK_INT(v.v[99], 99);
	appc_strings_clear(&s);
	CHECK(!s.v && !s.n);
	free(v.v);
}

TEST(findings_bounded, "findings: beyond 1000 only counts go on, and texts are clean")
{
	struct findings f = { 0 };
	struct err e = { 0 };

	for (int i = 0; i < 1500; i++)
		findings_add(&f, FINDING_WARNING, "r", "s", "/a\n", 1, "text %d \033[2J", i);
	findings_add(&f, FINDING_ERROR, "r", "s", "/b", FINDING_NO_OFFSET, "bad");
	CHECK_INT(f.n, FINDINGS_MAX + 1); /* warnings never take the room of errors */
	CHECK_INT(f.warnings, 1500);
	CHECK_INT(f.errors, 1);
	CHECK_STR(f.v[7].where, "/a?");
	CHECK_STR(f.v[7].text, "text 7 ?[2J");
	CHECK_INT(findings_err(&f, &e), -1);
	CHECK_STR(e.msg, "/b: bad");
	findings_free(&f);
	CHECK(!f.v && !f.n && !f.errors);
}

UNIT_MAIN(round_trips, complete, invalid, cut_off, damaged, all_reported, json_errors, rule_table, hostile_sizes,
	  too_long, deep, defaults, labels_wanted, copies, building, lists, findings_bounded)
