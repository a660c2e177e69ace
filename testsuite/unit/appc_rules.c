/* SPDX-License-Identifier: Apache-2.0
 * appc_rules - unit tests of the rules of manifests
 *
 * Each case changes one place of a good manifest and says what must be found there: nothing (NULL), an
 * error, or a warning. A case whose finding is elsewhere, or is of another rule, fails.
 */
#include "core/appc/manifest.h"
#include "core/base/json.h"
#include "testsuite/unit/unit.h"

static const char image_text[] =
	"{\"acKind\":\"ImageManifest\",\"acVersion\":\"0.8.11\",\"name\":\"example.org/a\","
	"\"labels\":[{\"name\":\"os\",\"value\":\"linux\"},{\"name\":\"arch\",\"value\":\"amd64\"}],"
	"\"app\":{\"exec\":[\"/a\",\"b\"],\"user\":\"0\",\"group\":\"0\",\"supplementaryGIDs\":[1],"
	"\"eventHandlers\":[{\"name\":\"pre-start\",\"exec\":[\"/p\"]}],\"workingDirectory\":\"/\","
	"\"environment\":[{\"name\":\"A\",\"value\":\"1\"}],"
	"\"isolators\":[{\"name\":\"resource/memory\",\"value\":{\"limit\":\"1M\"}}],"
	"\"mountPoints\":[{\"name\":\"data\",\"path\":\"/data\",\"readOnly\":true}],"
	"\"ports\":[{\"name\":\"http\",\"protocol\":\"tcp\",\"port\":80,\"count\":2,\"socketActivated\":false}],"
	"\"userAnnotations\":{\"a\":\"b\"}},"
	"\"dependencies\":[{\"imageName\":\"example.org/base\",\"imageID\":\"sha512-ab\",\"size\":1,"
	"\"labels\":[{\"name\":\"version\",\"value\":\"1\"}]}],"
	"\"pathWhitelist\":[\"/a\"],\"annotations\":[{\"name\":\"authors\",\"value\":\"me\"}]}";

static const char pod_text[] =
	"{\"acKind\":\"PodManifest\",\"acVersion\":\"0.8.11\",\"apps\":[{\"name\":\"one\","
	"\"image\":{\"id\":\"sha512-ab\",\"name\":\"example.org/a\",\"labels\":[{\"name\":\"version\",\"value\":\"1\"}]},"
	"\"app\":{\"exec\":[\"/a\"],\"user\":\"0\",\"group\":\"0\","
	"\"mountPoints\":[{\"name\":\"data\",\"path\":\"/data\"}],"
	"\"ports\":[{\"name\":\"http\",\"protocol\":\"tcp\",\"port\":80}]},"
	"\"mounts\":[{\"volume\":\"data\",\"path\":\"/data\"}],\"readOnlyRootFS\":true,"
	"\"annotations\":[{\"name\":\"n\",\"value\":\"v\"}]},"
	"{\"name\":\"two\",\"image\":{\"id\":\"sha512-cd\"},\"app\":{\"exec\":[\"/b\"],\"user\":\"0\",\"group\":\"0\"}}],"
	"\"volumes\":[{\"name\":\"data\",\"kind\":\"host\",\"source\":\"/srv\",\"readOnly\":true},"
	"{\"name\":\"tmp\",\"kind\":\"empty\",\"mode\":\"0755\",\"uid\":0,\"gid\":0}],"
	"\"isolators\":[{\"name\":\"resource/memory\",\"value\":{\"limit\":\"1G\"}}],"
	"\"annotations\":[{\"name\":\"n\",\"value\":\"v\"}],"
	"\"ports\":[{\"name\":\"http\",\"hostPort\":8080}]}";

struct change {
	const char *where; /* JSON pointer; a last "-" appends to a list */
	const char *value; /* JSON; NULL removes the member */
	const char *rule;  /* expected; NULL: nothing. "~" before it: a warning */
	const char *at;    /* pointer of the finding; NULL: the same as where */
};

/* the value that the pointer up to its last token names, and that token */
static cJSON *parent_of(cJSON *root, const char *where, char last[64])
{
	cJSON *j = root;

	while (j) {
		size_t n = strcspn(++where, "/");
		snprintf(last, 64, "%.*s", (int)n, where);
		where += n;
		if (!*where)
			break;
		j = cJSON_IsArray(j) ? cJSON_GetArrayItem(j, atoi(last)) : cJSON_GetObjectItemCaseSensitive(j, last);
	}
	return j;
}

static bool change(cJSON *root, const char *where, const char *value)
{
	struct err e;
	char last[64];
	cJSON *parent = parent_of(root, where, last);
	cJSON *new = value ? json_parse_err(value, strlen(value), &e) : NULL;

	if (!parent || (value && !new)) {
		cJSON_Delete(new);
		return false;
	}
	if (cJSON_IsArray(parent))
		return strcmp(last, "-") ? cJSON_ReplaceItemInArray(parent, atoi(last), new)
					 : cJSON_AddItemToArray(parent, new);
	cJSON_DeleteItemFromObjectCaseSensitive(parent, last);
	return !new || cJSON_AddItemToObject(parent, last, new);
}

static bool parse(const char *base, cJSON *j, struct findings *f)
{
	struct buf b = { 0 };
	bool good;

	json_print(j, false, &b);
	if (base == image_text) {
		struct image_manifest m;
		good = image_manifest_parse(b.data, b.len, &m, f);
		image_manifest_free(&m);
	} else {
		struct pod_manifest m;
		good = pod_manifest_parse(b.data, b.len, &m, f);
		pod_manifest_free(&m);
	}
	buf_free(&b);
	return good;
}

static void show(const struct change *c, const struct findings *f)
{
	printf("# %s = %s\n", c->where, c->value ? c->value : "(removed)");
	for (size_t i = 0; i < f->n; i++)
		printf("#   %s %s: %s\n", f->v[i].rule, f->v[i].where, f->v[i].text);
}

static bool is_expected(const struct change *c, const struct findings *f, bool good)
{
	if (!c->rule)
		return good && !f->n;
	bool warning = *c->rule == '~';
	const char *at = c->at ? c->at : c->where;
	if (f->n != 1 || good != warning)
		return false;
	return !strcmp(f->v[0].rule, c->rule + warning) && !strcmp(f->v[0].where, at) && *f->v[0].section &&
	       f->v[0].level == (warning ? FINDING_WARNING : FINDING_ERROR);
}

static void run(const char *base, const struct change *c, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct findings f = { 0 };
		struct err e = { 0 };
		auto_json cJSON *j = json_parse_err(base, strlen(base), &e);
		REQUIRE(j != NULL);
		CHECK(change(j, c[i].where, c[i].value));
		bool good = parse(base, j, &f);
		if (!is_expected(&c[i], &f, good)) {
			show(&c[i], &f);
			CHECK(!"the expected finding");
		}
		findings_free(&f);
	}
}
#define RUN(base, cases) run(base, cases, sizeof(cases) / sizeof(*(cases)))

TEST(image_members, "image manifest: acKind, acVersion, name, labels")
{
	static const struct change cases[] = {
		{ "/x", "1", NULL, NULL },
		{ "/acKind", "\"PodManifest\"", "ac-kind", NULL },
		{ "/acKind", "\"imagemanifest\"", "ac-kind", NULL },
		{ "/acKind", "\"\"", "ac-kind", NULL },
		{ "/acKind", NULL, "member-required", NULL },
		{ "/acKind", "null", "member-required", NULL },
		{ "/acKind", "7", "json-type", NULL },
		{ "/acVersion", NULL, "member-required", NULL },
		{ "/acVersion", "\"\"", "ac-version", NULL },
		{ "/acVersion", "\"0.8\"", "ac-version", NULL },
		{ "/acVersion", "\"v0.8.0\"", "ac-version", NULL },
		{ "/acVersion", "\"1.0.0\"", "ac-version", NULL },
		{ "/acVersion", "\"0.1.0\"", NULL, NULL },
		{ "/acVersion", "\"0.0.0\"", "ac-version", NULL },
		{ "/acVersion", "\"0.9.0\"", NULL, NULL },
		{ "/acVersion", "\"0.8.11-dev.1+git\"", NULL, NULL },
		{ "/name", NULL, "member-required", NULL },
		{ "/name", "\"\"", "image-name", NULL },
		{ "/name", "\"Example.org/a\"", "image-name", NULL },
		{ "/name", "\"/a\"", "image-name", NULL },
		{ "/name", "\"a/\"", "image-name", NULL },
		{ "/name", "\"a b\"", "image-name", NULL },
		{ "/name", "\"a//b\"", "image-name", NULL },
		{ "/name", "\"../a\"", "image-name", NULL },
		{ "/name", "\"a/../b\"", "image-name", NULL },
		{ "/name", "\"\\u00e4\"", "image-name", NULL },
		{ "/name", "[\"a\"]", "json-type", NULL },
		{ "/name", "\"example.org/a_1-2~3\"", NULL, NULL },
		{ "/labels", NULL, NULL, NULL },
		{ "/labels", "[]", NULL, NULL },
		{ "/labels", "null", NULL, NULL },
		{ "/labels", "{}", "json-type", NULL },
		{ "/labels/1", "\"os\"", "json-type", NULL },
		{ "/labels/1", "null", "json-type", NULL },
		{ "/labels/-", "{\"name\":\"version\",\"value\":\"\"}", NULL, NULL },
		{ "/labels/-", "{\"name\":\"a.b/c\",\"value\":\"any thing\"}", NULL, NULL },
		{ "/labels/-", "{\"name\":\"version\"}", "member-required", "/labels/2/value" },
		{ "/labels/-", "{\"value\":\"1\"}", "member-required", "/labels/2/name" },
		{ "/labels/-", "{\"name\":\"name\",\"value\":\"1\"}", "label-name", "/labels/2/name" },
		{ "/labels/-", "{\"name\":\"Version\",\"value\":\"1\"}", "label-name", "/labels/2/name" },
		{ "/labels/-", "{\"name\":\"os\",\"value\":\"linux\"}", "label-name", "/labels/2" },
		{ "/labels/-", "{\"name\":\"version\",\"value\":1}", "json-type", "/labels/2/value" },
		{ "/labels/0/value", "\"plan9\"", "label-os-arch", NULL },
		{ "/labels/0/value", "\"Linux\"", "label-os-arch", NULL },
		{ "/labels/0/value", "\"\"", "label-os-arch", NULL },
		{ "/labels/0/value", "\"freebsd\"", NULL, NULL },
		{ "/labels/0/value", "\"darwin\"", "label-os-arch", "/labels/1/value" },
		{ "/labels/1/value", "\"x86_64\"", "label-os-arch", NULL },
		{ "/labels/1/value", "\"armv7l\"", NULL, NULL },
		{ "/labels/1/value", "\"s390x\"", NULL, NULL },
		{ "/labels/0/name", "\"version\"", "~label-os-arch", "/labels/1/value" },
	};

	RUN(image_text, cases);
}

TEST(app_members, "app: exec, user, group, handlers, working directory, environment")
{
	static const struct change cases[] = {
		{ "/app", NULL, NULL, NULL },
		{ "/app", "null", NULL, NULL },
		{ "/app", "[]", "json-type", NULL },
		{ "/app/exec", NULL, "app-exec", NULL },
		{ "/app/exec", "[]", "app-exec", NULL },
		{ "/app/exec", "\"/a\"", "json-type", NULL },
		{ "/app/exec", "[\"/a\",\"\",\"\\u0007\"]", NULL, NULL },
		{ "/app/exec/0", "\"a\"", "app-exec", NULL },
		{ "/app/exec/0", "\"\"", "app-exec", NULL },
		{ "/app/exec/0", "\"./a\"", "app-exec", NULL },
		{ "/app/exec/0", "7", "json-type", NULL },
		{ "/app/exec/1", "null", "json-type", NULL },
		{ "/app/exec/0", "\"/a/../b\"", "~path-plain", NULL },
		{ "/app/exec/0", "\"/a..b\"", NULL, NULL },
		{ "/app/user", NULL, "member-required", NULL },
		{ "/app/user", "\"\"", "app-user", NULL },
		{ "/app/user", "0", "json-type", NULL },
		{ "/app/user", "\"root\"", NULL, NULL },
		{ "/app/user", "\"/bin/ping\"", NULL, NULL },
		{ "/app/user", "\"4294967294\"", NULL, NULL },
		{ "/app/user", "\"4294967295\"", "app-user-id", NULL },
		{ "/app/user", "\"4294967296\"", "app-user-id", NULL },
		{ "/app/user", "\"99999999999999999999\"", "app-user-id", NULL },
		{ "/app/group", NULL, "member-required", NULL },
		{ "/app/group", "\"\"", "app-user", NULL },
		{ "/app/group", "\"4294967295\"", "app-user-id", NULL },
		{ "/app/supplementaryGIDs", "[0,4294967294]", NULL, NULL },
		{ "/app/supplementaryGIDs/0", "-1", "app-gids", NULL },
		{ "/app/supplementaryGIDs/0", "4294967295", "app-gids", NULL },
		{ "/app/supplementaryGIDs/0", "1.5", "json-type", NULL },
		{ "/app/supplementaryGIDs/0", "1e300", "json-type", NULL },
		{ "/app/supplementaryGIDs/0", "\"1\"", "json-type", NULL },
		{ "/app/eventHandlers", "[]", NULL, NULL },
		{ "/app/eventHandlers/0/name", "\"post-stop\"", NULL, NULL },
		{ "/app/eventHandlers/0/name", "\"post-start\"", "app-handler", NULL },
		{ "/app/eventHandlers/0/name", NULL, "member-required", NULL },
		{ "/app/eventHandlers/0/exec", "[]", "app-exec", NULL },
		{ "/app/eventHandlers/0/exec/0", "\"p\"", "app-exec", NULL },
		{ "/app/eventHandlers/-", "{\"name\":\"post-stop\",\"exec\":[\"/p\"]}", NULL, NULL },
		{ "/app/eventHandlers/-", "{\"name\":\"pre-start\",\"exec\":[\"/p\"]}", "app-handler",
		  "/app/eventHandlers/1" },
		{ "/app/workingDirectory", NULL, NULL, NULL },
		{ "/app/workingDirectory", "\"\"", NULL, NULL },
		{ "/app/workingDirectory", "\"a\"", "app-workdir", NULL },
		{ "/app/workingDirectory", "\"/a/..\"", "~path-plain", NULL },
		{ "/app/workingDirectory", "\"/a\\n\"", "~path-plain", NULL },
		{ "/app/workingDirectory", "\"/proc/self/fd/7\"", "~app-workdir-proc", NULL },
		{ "/app/workingDirectory", "\"//./proc\"", "~app-workdir-proc", NULL },
		{ "/app/workingDirectory", "\"/process\"", NULL, NULL },
		{ "/app/workingDirectory", "7", "json-type", NULL },
		{ "/app/environment", "[]", NULL, NULL },
		{ "/app/environment/0/name", "\"_a1\"", NULL, NULL },
		{ "/app/environment/0/name", "\"1A\"", "app-environment", NULL },
		{ "/app/environment/0/name", "\"A-B\"", "app-environment", NULL },
		{ "/app/environment/0/name", "\"A=B\"", "app-environment", NULL },
		{ "/app/environment/0/name", "\"\"", "app-environment", NULL },
		{ "/app/environment/0/name", NULL, "member-required", NULL },
		{ "/app/environment/0/value", NULL, "member-required", NULL },
		{ "/app/environment/0/value", "\"\\n=\"", "~app-environment-control", NULL },
		{ "/app/environment/0/value", "\"=\"", NULL, NULL },
		{ "/app/environment/-", "{\"name\":\"A\",\"value\":\"2\"}", "app-environment", "/app/environment/1" },
		{ "/app/environment/-", "{\"name\":\"a\",\"value\":\"2\"}", NULL, NULL },
		{ "/app/userAnnotations/a", "1", "json-type", NULL },
		{ "/app/userAnnotations", "[]", "json-type", NULL },
		{ "/app/userLabels", "{\"any thing\":\"\"}", NULL, NULL },
	};

	RUN(image_text, cases);
}

TEST(app_places, "app: mount points and ports")
{
	static const struct change cases[] = {
		{ "/app/mountPoints/0/name", "\"Data\"", "mount-point", NULL },
		{ "/app/mountPoints/0/name", "\"a.b\"", "mount-point", NULL },
		{ "/app/mountPoints/0/name", NULL, "member-required", NULL },
		{ "/app/mountPoints/0/path", NULL, "member-required", NULL },
		{ "/app/mountPoints/0/path", "\"\"", "member-required", NULL },
		{ "/app/mountPoints/0/path", "\"data\"", "~path-plain", NULL },
		{ "/app/mountPoints/0/path", "\"/../etc\"", "~path-plain", NULL },
		{ "/app/mountPoints/0/path", "\"/a\\u001b\"", "~path-plain", NULL },
		{ "/app/mountPoints/0/readOnly", "\"true\"", "json-type", NULL },
		{ "/app/mountPoints/0/readOnly", "1", "json-type", NULL },
		{ "/app/mountPoints/-", "{\"name\":\"data\",\"path\":\"/b\"}", "~mount-point", "/app/mountPoints/1" },
		{ "/app/ports/0/name", "\"HTTP\"", "port", NULL },
		{ "/app/ports/0/name", "\"\"", "port", NULL },
		{ "/app/ports/0/name", NULL, "member-required", NULL },
		{ "/app/ports/0/protocol", NULL, "member-required", NULL },
		{ "/app/ports/0/protocol", "\"\"", "port", NULL },
		{ "/app/ports/0/protocol", "\"sctp\"", NULL, NULL },
		{ "/app/ports/0/port", NULL, "member-required", NULL },
		{ "/app/ports/0/port", "null", "member-required", NULL },
		{ "/app/ports/0/port", "0", "port", NULL },
		{ "/app/ports/0/port", "-1", "port", NULL },
		{ "/app/ports/0/port", "65534", NULL, NULL },
		{ "/app/ports/0/port", "65535", "port", "/app/ports/0" },
		{ "/app/ports/0/port", "65536", "port", NULL },
		{ "/app/ports/0/port", "80.5", "json-type", NULL },
		{ "/app/ports/0/port", "1e100", "json-type", NULL },
		{ "/app/ports/0/port", "\"80\"", "json-type", NULL },
		{ "/app/ports/0/count", NULL, NULL, NULL },
		{ "/app/ports/0/count", "1", NULL, NULL },
		{ "/app/ports/0/count", "0", "port", NULL },
		{ "/app/ports/0/count", "-1", "port", NULL },
		{ "/app/ports/0/count", "65456", NULL, NULL },
		{ "/app/ports/0/count", "65457", "port", "/app/ports/0" },
		{ "/app/ports/0/count", "9007199254740992", "port", "/app/ports/0" },
		{ "/app/ports/0/socketActivated", "0", "json-type", NULL },
		{ "/app/ports/-", "{\"name\":\"http\",\"protocol\":\"udp\",\"port\":80}", "~port-unique",
		  "/app/ports/1" },
		{ "/app/ports/-", "{\"name\":\"dns\",\"protocol\":\"udp\",\"port\":53}", NULL, NULL },
	};

	RUN(image_text, cases);
}

TEST(image_rest, "image manifest: dependencies, path whitelist, annotations")
{
	static const struct change cases[] = {
		{ "/dependencies", "[]", NULL, NULL },
		{ "/dependencies/0/imageName", NULL, "member-required", NULL },
		{ "/dependencies/0/imageName", "\"A\"", "image-name", NULL },
		{ "/dependencies/0/imageID", NULL, NULL, NULL },
		{ "/dependencies/0/imageID", "\"\"", "image-id", NULL },
		{ "/dependencies/0/imageID", "\"sha512-\"", "image-id", NULL },
		{ "/dependencies/0/imageID", "\"sha512-AB\"", "~image-id", NULL },
		{ "/dependencies/0/imageID", "\"sha512-AG\"", "image-id", NULL },
		{ "/dependencies/0/imageID", "\"sha256-ab\"", "image-id", NULL },
		{ "/dependencies/0/imageID", "\"sha512-../../x\"", "image-id", NULL },
		{ "/dependencies/0/size", NULL, NULL, NULL },
		{ "/dependencies/0/size", "-1", "dependency", NULL },
		{ "/dependencies/0/size", "0", NULL, NULL },
		{ "/dependencies/0/size", "9007199254740992", NULL, NULL },
		{ "/dependencies/0/size", "1e30", "json-type", NULL },
		{ "/dependencies/0/labels/0/name", "\"name\"", "label-name", NULL },
		{ "/dependencies/0/labels/-", "{\"name\":\"os\",\"value\":\"x\"}", "label-os-arch",
		  "/dependencies/0/labels/1/value" },
		{ "/dependencies/-", "{\"imageName\":\"b\"}", NULL, NULL },
		{ "/pathWhitelist", "[]", NULL, NULL },
		{ "/pathWhitelist/0", "\"a\"", "path-whitelist", NULL },
		{ "/pathWhitelist/0", "\"\"", "path-whitelist", NULL },
		{ "/pathWhitelist/0", "\"/etc/\"", NULL, NULL },
		{ "/pathWhitelist/0", "\"/a/../b\"", "~path-plain", NULL },
		{ "/pathWhitelist/0", "{}", "json-type", NULL },
		{ "/annotations/-", "{\"name\":\"authors\",\"value\":\"you\"}", "annotation", "/annotations/1" },
		{ "/annotations/-", "{\"name\":\"Authors\",\"value\":\"you\"}", "annotation", "/annotations/1/name" },
		{ "/annotations/-", "{\"name\":\"a\"}", "member-required", "/annotations/1/value" },
		{ "/annotations/-", "{\"name\":\"example.org/any\",\"value\":\"\"}", NULL, NULL },
		{ "/annotations/-", "{\"name\":\"created\",\"value\":\"2014-10-27T19:32:27.67021798Z\"}", NULL, NULL },
		{ "/annotations/-", "{\"name\":\"created\",\"value\":\"yesterday\"}", "annotation-created",
		  "/annotations/1/value" },
		{ "/annotations/-", "{\"name\":\"created\",\"value\":\"2015-02-29T00:00:00Z\"}", "annotation-created",
		  "/annotations/1/value" },
		{ "/annotations/-", "{\"name\":\"homepage\",\"value\":\"https://example.org\"}", NULL, NULL },
		{ "/annotations/-", "{\"name\":\"homepage\",\"value\":\"ftp://example.org\"}", "annotation-url",
		  "/annotations/1/value" },
		{ "/annotations/-", "{\"name\":\"documentation\",\"value\":\"docs\"}", "annotation-url",
		  "/annotations/1/value" },
	};

	RUN(image_text, cases);
}

#define ISOLATOR(n, v) "{\"name\":\"" n "\",\"value\":" v "}"
#define AT "/app/isolators/1"

TEST(resources, "isolators: resources")
{
	static const struct change cases[] = {
		{ "/app/isolators/-", ISOLATOR("example.org/unknown", "[1,{\"a\":null}]"), NULL, NULL },
		{ "/app/isolators/-", ISOLATOR("example.org/unknown", "null"), NULL, NULL },
		{ "/app/isolators/-", "{\"name\":\"a\"}", "member-required", AT "/value" },
		{ "/app/isolators/-", "{\"value\":1}", "member-required", AT "/name" },
		{ "/app/isolators/-", ISOLATOR("Bad Name", "1"), "isolator-name", AT "/name" },
		{ "/app/isolators/-", ISOLATOR("resource/cpu", "{\"request\":\"250m\",\"limit\":\"500m\"}"), NULL, NULL },
		{ "/app/isolators/-", ISOLATOR("resource/cpu", "{\"limit\":2}"), NULL, NULL },
		{ "/app/isolators/-", ISOLATOR("resource/cpu", "{\"limit\":1.5}"), NULL, NULL },
		{ "/app/isolators/-", ISOLATOR("resource/cpu", "{\"limit\":-1.5}"), "quantity", AT "/value/limit" },
		{ "/app/isolators/-", ISOLATOR("resource/cpu", "{\"limit\":-1}"), "quantity", AT "/value/limit" },
		{ "/app/isolators/-", ISOLATOR("resource/cpu", "{\"limit\":\"\"}"), "quantity", AT "/value/limit" },
		{ "/app/isolators/-", ISOLATOR("resource/cpu", "{\"limit\":\"1e3\"}"), "quantity", AT "/value/limit" },
		{ "/app/isolators/-", ISOLATOR("resource/cpu", "{\"limit\":true}"), "quantity", AT "/value/limit" },
		{ "/app/isolators/-", ISOLATOR("resource/cpu", "{\"limit\":\"99999E\"}"), "~quantity",
		  AT "/value/limit" },
		{ "/app/isolators/-", ISOLATOR("resource/cpu", "{\"limit\":\"1ki\"}"), "quantity", AT "/value/limit" },
		{ "/app/isolators/-", ISOLATOR("resource/cpu", "{\"limit\":\"1\",\"default\":1}"), "isolator-value",
		  AT "/value" },
		{ "/app/isolators/-", ISOLATOR("resource/cpu", "{\"request\":\"x\"}"), "quantity", AT "/value/request" },
		{ "/app/isolators/-", ISOLATOR("resource/cpu", "{}"), "~isolator-value", AT "/value" },
		{ "/app/isolators/-", ISOLATOR("resource/cpu", "{\"limit\":null}"), "~isolator-value", AT "/value" },
		{ "/app/isolators/-", ISOLATOR("resource/cpu", "{\"limit\":\"0\"}"), "~isolator-value", AT "/value" },
		{ "/app/isolators/-", ISOLATOR("resource/cpu", "{\"limit\":\"1\",\"request\":\"1001m\"}"),
		  "~isolator-value", AT "/value" },
		{ "/app/isolators/-", ISOLATOR("resource/cpu", "{\"limit\":\"1\",\"default\":true}"), "isolator-value",
		  AT "/value" },
		{ "/app/isolators/-", ISOLATOR("resource/cpu", "{\"limit\":\"1\",\"default\":false}"), NULL, NULL },
		{ "/app/isolators/-", ISOLATOR("resource/cpu", "\"1\""), "isolator-value", AT "/value" },
		{ "/app/isolators/-", ISOLATOR("resource/cpu", "null"), "isolator-value", AT "/value" },
		{ "/app/isolators/-", ISOLATOR("resource/memory", "{\"limit\":\"2M\"}"), "~isolator-list", AT },
		{ "/app/isolators/0/value", "{\"request\":\"1Gi\",\"limit\":\"2Gi\"}", NULL, NULL },
		{ "/app/isolators/-", ISOLATOR("resource/block-bandwidth", "{\"default\":true,\"limit\":\"2M\"}"), NULL,
		  NULL },
		{ "/app/isolators/-", ISOLATOR("resource/block-bandwidth", "{\"limit\":\"2M\"}"), "isolator-value",
		  AT "/value" },
		{ "/app/isolators/-", ISOLATOR("resource/block-bandwidth", "{\"default\":false,\"limit\":\"2M\"}"),
		  "isolator-value", AT "/value" },
		{ "/app/isolators/-", ISOLATOR("resource/block-iops", "{\"default\":true}"), "isolator-value",
		  AT "/value" },
		{ "/app/isolators/-", ISOLATOR("resource/block-iops", "{\"default\":true,\"limit\":\"-5\"}"), "quantity",
		  AT "/value/limit" },
		{ "/app/isolators/-",
		  ISOLATOR("resource/network-bandwidth", "{\"default\":true,\"limit\":\"1G\",\"request\":\"1\"}"),
		  "isolator-value", AT "/value" },
		{ "/app/isolators/-", ISOLATOR("resource/pids", "{\"limit\":100}"), NULL, NULL },
		{ "/app/isolators/-", ISOLATOR("resource/pids", "{\"limit\":0}"), "isolator-value", AT "/value" },
		{ "/app/isolators/-", ISOLATOR("resource/pids", "{}"), "isolator-value", AT "/value" },
	};

	RUN(image_text, cases);
}

TEST(linux_isolators, "isolators: Linux and Unix")
{
	static const struct change cases[] = {
		{ "/app/isolators/-", ISOLATOR("os/linux/capabilities-retain-set", "{\"set\":[\"CAP_NET_ADMIN\",\"CAP_BPF\"]}"),
		  NULL, NULL },
		{ "/app/isolators/-", ISOLATOR("os/linux/capabilities-retain-set", "{\"set\":[]}"), "isolator-value",
		  AT "/value/set" },
		{ "/app/isolators/-", ISOLATOR("os/linux/capabilities-retain-set", "{}"), "isolator-value",
		  AT "/value/set" },
		{ "/app/isolators/-", ISOLATOR("os/linux/capabilities-retain-set", "{\"set\":\"CAP_KILL\"}"),
		  "isolator-value", AT "/value/set" },
		{ "/app/isolators/-", ISOLATOR("os/linux/capabilities-retain-set", "{\"set\":[\"CAP_KILL\",7]}"),
		  "isolator-value", AT "/value/set/1" },
		{ "/app/isolators/-", ISOLATOR("os/linux/capabilities-retain-set", "[\"CAP_KILL\"]"), "isolator-value",
		  AT "/value" },
		{ "/app/isolators/-", ISOLATOR("os/linux/capabilities-remove-set", "{\"set\":[\"cap_kill\"]}"), "capability",
		  AT "/value/set/0" },
		{ "/app/isolators/-", ISOLATOR("os/linux/capabilities-remove-set", "{\"set\":[\"KILL\"]}"), "capability",
		  AT "/value/set/0" },
		{ "/app/isolators",
		  "[" ISOLATOR("os/linux/capabilities-remove-set", "{\"set\":[\"CAP_KILL\"]}") ","
		      ISOLATOR("os/linux/capabilities-retain-set", "{\"set\":[\"CAP_KILL\"]}") "]",
		  "isolator-list", AT },
		{ "/app/isolators/-", ISOLATOR("os/linux/no-new-privileges", "true"), NULL, NULL },
		{ "/app/isolators/-", ISOLATOR("os/linux/no-new-privileges", "false"), NULL, NULL },
		{ "/app/isolators/-", ISOLATOR("os/linux/no-new-privileges", "\"true\""), "isolator-value", AT "/value" },
		{ "/app/isolators/-", ISOLATOR("os/linux/seccomp-retain-set", "{\"errno\":\"\",\"set\":[\"read\",\"_llseek\"]}"),
		  NULL, NULL },
		{ "/app/isolators/-", ISOLATOR("os/linux/seccomp-retain-set", "{\"set\":[\"@appc.io/all\"]}"), NULL, NULL },
		{ "/app/isolators/-", ISOLATOR("os/linux/seccomp-retain-set", "{\"set\":[\"@docker/default-whitelist\"]}"),
		  NULL, NULL },
		{ "/app/isolators/-", ISOLATOR("os/linux/seccomp-retain-set", "{\"set\":[\"@appc.io/empty\"]}"), "seccomp",
		  AT "/value/set/0" },
		{ "/app/isolators/-", ISOLATOR("os/linux/seccomp-remove-set", "{\"set\":[\"@appc.io/empty\"]}"), NULL, NULL },
		{ "/app/isolators/-", ISOLATOR("os/linux/seccomp-remove-set", "{\"set\":[\"@appc.io/other\"]}"), "seccomp",
		  AT "/value/set/0" },
		{ "/app/isolators/-", ISOLATOR("os/linux/seccomp-remove-set", "{\"set\":[\"@nothing\"]}"), "seccomp",
		  AT "/value/set/0" },
		{ "/app/isolators/-", ISOLATOR("os/linux/seccomp-remove-set", "{\"set\":[\"@/x\"]}"), "seccomp",
		  AT "/value/set/0" },
		{ "/app/isolators/-", ISOLATOR("os/linux/seccomp-remove-set", "{\"set\":[\"Reboot\"]}"), "seccomp",
		  AT "/value/set/0" },
		{ "/app/isolators/-", ISOLATOR("os/linux/seccomp-remove-set", "{\"set\":[\"\"]}"), "seccomp",
		  AT "/value/set/0" },
		{ "/app/isolators/-", ISOLATOR("os/linux/seccomp-remove-set", "{\"set\":[]}"), "isolator-value",
		  AT "/value/set" },
		{ "/app/isolators/-", ISOLATOR("os/linux/seccomp-remove-set", "{\"set\":[\"reboot\"],\"errno\":\"ENOTSUP\"}"),
		  NULL, NULL },
		{ "/app/isolators/-", ISOLATOR("os/linux/seccomp-remove-set", "{\"set\":[\"reboot\"],\"errno\":\"eperm\"}"),
		  "seccomp", AT "/value/errno" },
		{ "/app/isolators/-", ISOLATOR("os/linux/seccomp-remove-set", "{\"set\":[\"reboot\"],\"errno\":\"ENONSENSE\"}"),
		  "seccomp", AT "/value/errno" },
		{ "/app/isolators/-", ISOLATOR("os/linux/seccomp-remove-set", "{\"set\":[\"reboot\"],\"errno\":1}"),
		  "isolator-value", AT "/value/errno" },
		{ "/app/isolators",
		  "[" ISOLATOR("os/linux/seccomp-retain-set", "{\"set\":[\"read\"]}") ","
		      ISOLATOR("os/linux/seccomp-retain-set", "{\"set\":[\"read\"]}") "]",
		  "isolator-list", AT },
		{ "/app/isolators",
		  "[" ISOLATOR("os/linux/seccomp-retain-set", "{\"set\":[\"read\"]}") ","
		      ISOLATOR("os/linux/seccomp-remove-set", "{\"set\":[\"reboot\"]}") "]",
		  "isolator-list", AT },
		{ "/app/isolators/-",
		  ISOLATOR("os/linux/selinux-context",
			   "{\"user\":\"u\",\"role\":\"r\",\"type\":\"t\",\"level\":\"s0:c1\"}"), NULL, NULL },
		{ "/app/isolators/-", ISOLATOR("os/linux/selinux-context", "{\"user\":\"u\",\"role\":\"r\",\"type\":\"t\"}"),
		  "isolator-value", AT "/value/level" },
		{ "/app/isolators/-",
		  ISOLATOR("os/linux/selinux-context",
			   "{\"user\":\"u\",\"role\":\"r:x\",\"type\":\"t\",\"level\":\"s0\"}"),
		  "isolator-value", AT "/value/role" },
		{ "/app/isolators/-", ISOLATOR("os/linux/oom-score-adj", "-1000"), NULL, NULL },
		{ "/app/isolators/-", ISOLATOR("os/linux/oom-score-adj", "-1001"), "isolator-value", AT "/value" },
		{ "/app/isolators/-", ISOLATOR("os/linux/oom-score-adj", "1001"), "isolator-value", AT "/value" },
		{ "/app/isolators/-", ISOLATOR("os/linux/oom-score-adj", "\"5\""), "isolator-value", AT "/value" },
		{ "/app/isolators/-", ISOLATOR("os/linux/cpu-shares", "2"), NULL, NULL },
		{ "/app/isolators/-", ISOLATOR("os/linux/cpu-shares", "262144"), NULL, NULL },
		{ "/app/isolators/-", ISOLATOR("os/linux/cpu-shares", "1"), "isolator-value", AT "/value" },
		{ "/app/isolators/-", ISOLATOR("os/linux/cpu-shares", "262145"), "isolator-value", AT "/value" },
		{ "/app/isolators/-", ISOLATOR("os/unix/sysctl", "{}"), "~isolator-list", AT },
		{ "/app/isolators/-",
		  ISOLATOR("os/unix/rlimits",
			   "{\"nofile\":{\"soft\":1,\"hard\":\"1K\"},\"core\":{\"soft\":0,\"hard\":\"unlimited\"}}"), NULL,
		  NULL },
		{ "/app/isolators/-", ISOLATOR("os/unix/rlimits", "{\"nofiles\":{\"soft\":1,\"hard\":1}}"),
		  "isolator-value", AT "/value/nofiles" },
		{ "/app/isolators/-", ISOLATOR("os/unix/rlimits", "{\"nofile\":{\"soft\":2,\"hard\":1}}"),
		  "isolator-value", AT "/value/nofile" },
		{ "/app/isolators/-", ISOLATOR("os/unix/rlimits", "{\"nofile\":{\"soft\":\"unlimited\",\"hard\":1}}"),
		  "isolator-value", AT "/value/nofile" },
		{ "/app/isolators/-", ISOLATOR("os/unix/rlimits", "{\"nofile\":{\"hard\":1}}"), "isolator-value",
		  AT "/value/nofile" },
		{ "/app/isolators/-", ISOLATOR("os/unix/rlimits", "{\"nofile\":5}"), "isolator-value",
		  AT "/value/nofile" },
		{ "/app/isolators/-", ISOLATOR("os/linux/landlock", "{\"read\":[\"/\"],\"write\":[\"/tmp\"]}"), NULL, NULL },
		{ "/app/isolators/-", ISOLATOR("os/linux/landlock", "{\"read\":[\"tmp\"]}"), "isolator-value",
		  AT "/value/read/0" },
		{ "/app/isolators/-", ISOLATOR("os/linux/landlock", "{\"reed\":[\"/tmp\"]}"), "isolator-value",
		  AT "/value" },
	};

	RUN(image_text, cases);
}

TEST(pod_apps, "pod manifest: apps, images, mounts")
{
	static const struct change cases[] = {
		{ "/x", "{}", NULL, NULL },
		{ "/acKind", "\"ImageManifest\"", "ac-kind", NULL },
		{ "/acVersion", "\"2.0.0\"", "ac-version", NULL },
		{ "/apps/0/name", NULL, "member-required", NULL },
		{ "/apps/0/name", "\"a.b\"", "pod-app-name", NULL },
		{ "/apps/0/name", "\"../a\"", "pod-app-name", NULL },
		{ "/apps/1/name", "\"one\"", "pod-app-name", "/apps/1" },
		{ "/apps/1/image", NULL, "member-required", "/apps/1/image/id" },
		{ "/apps/1/image", "[]", "json-type", NULL },
		{ "/apps/1/image/id", NULL, "member-required", NULL },
		{ "/apps/1/image/id", "\"\"", "image-id", NULL },
		{ "/apps/1/image/id", "\"sha512-ABCD\"", "~image-id", NULL },
		{ "/apps/0/image/name", NULL, NULL, NULL },
		{ "/apps/0/image/name", "\"A\"", "image-name", NULL },
		{ "/apps/0/image/name", "\"\"", "image-name", NULL },
		{ "/apps/0/image/labels/0/name", "\"name\"", "label-name", NULL },
		{ "/apps/0/image/x", "1", NULL, NULL },
		{ "/apps/1/app", NULL, NULL, NULL },
		{ "/apps/0/app/exec", "[]", "app-exec", NULL },
		{ "/apps/0/readOnlyRootFS", "\"yes\"", "json-type", NULL },
		{ "/apps/0/annotations/-", "{\"name\":\"n\",\"value\":\"w\"}", "annotation", "/apps/0/annotations/1" },
		{ "/apps/0/mounts/0/volume", "\"none\"", "~pod-reified", NULL },
		{ "/apps/0/mounts/0/volume", NULL, "member-required", NULL },
		{ "/apps/0/mounts/0/path", "\"/other\"", "~pod-reified", "/apps/0/app/mountPoints/0" },
		{ "/apps/0/mounts", "[]", "~pod-reified", "/apps/0/app/mountPoints/0" },
		{ "/apps/0/mounts/-", "{\"volume\":\"tmp\",\"path\":\"/tmp\"}", NULL, NULL },
		{ "/apps/0/mounts/-", "{\"volume\":\"tmp\",\"path\":\"//data/./\"}", "mount", "/apps/0/mounts/1" },
		{ "/apps/0/mounts/-", "{\"volume\":\"tmp\",\"path\":\"/data/x\"}", "~mount", "/apps/0/mounts/1" },
		{ "/apps/0/mounts/-", "{\"volume\":\"tmp\",\"path\":\"/database\"}", NULL, NULL },
		{ "/apps/0/mounts/-", "{\"volume\":\"tmp\",\"path\":\"/\"}", "~mount", "/apps/0/mounts/0" },
		{ "/apps/0/mounts/-", "{\"volume\":\"tmp\",\"path\":\"\"}", "member-required", "/apps/0/mounts/1/path" },
		{ "/apps/0/mounts/-", "{\"volume\":\"tmp\",\"path\":\"/a/../b\"}", "~path-plain",
		  "/apps/0/mounts/1/path" },
		{ "/apps/0/mounts/-",
		  "{\"volume\":\"own\",\"path\":\"/own\",\"appVolume\":{\"name\":\"own\",\"kind\":\"empty\"}}", NULL, NULL },
		{ "/apps/0/mounts/-",
		  "{\"volume\":\"own\",\"path\":\"/own\",\"appVolume\":{\"name\":\"own\",\"kind\":\"x\"}}", "volume",
		  "/apps/0/mounts/1/appVolume/kind" },
	};

	RUN(pod_text, cases);
}

TEST(pod_volumes, "pod manifest: volumes, isolators, annotations")
{
	static const struct change cases[] = {
		{ "/volumes/-", "{\"name\":\"data\",\"kind\":\"empty\"}", "volume", "/volumes/2" },
		{ "/volumes/0/kind", NULL, "member-required", NULL },
		{ "/volumes/0/kind", "\"nfs\"", "volume", NULL },
		{ "/volumes/0/source", NULL, "volume", NULL },
		{ "/volumes/0/source", "\"\"", "volume", NULL },
		{ "/volumes/0/source", "\"srv\"", "volume", NULL },
		{ "/volumes/0/source", "\"/srv/..\"", "~path-plain", NULL },
		{ "/volumes/0/readOnly", "0", "json-type", NULL },
		{ "/volumes/0/recursive", "true", NULL, NULL },
		{ "/volumes/0/recursive", "\"true\"", "json-type", NULL },
		{ "/volumes/0/mode", "\"0755\"", "volume", "/volumes/0" },
		{ "/volumes/1/source", "\"/srv\"", "volume", "/volumes/1" },
		{ "/volumes/1/mode", "\"1777\"", NULL, NULL },
		{ "/volumes/1/mode", "\"888\"", "volume-owner", NULL },
		{ "/volumes/1/mode", "\"10000\"", "volume-owner", NULL },
		{ "/volumes/1/mode", "493", "json-type", NULL },
		{ "/volumes/1/uid", "4294967294", NULL, NULL },
		{ "/volumes/1/uid", "4294967295", "volume-owner", NULL },
		{ "/volumes/1/uid", "-1", "volume-owner", NULL },
		{ "/volumes/1/uid", "-2", "volume-owner", NULL },
		{ "/volumes/1/gid", "\"0\"", "json-type", NULL },
		{ "/volumes/1/gid", "0.5", "json-type", NULL },
		{ "/volumes/1/name", "\"T\"", "volume", NULL },
		{ "/isolators/-", ISOLATOR("os/unix/sysctl", "{\"net.core.somaxconn\":\"512\",\"net/ipv4/x\":\"a\\tb\"}"), NULL,
		  NULL },
		{ "/isolators/-", ISOLATOR("os/unix/sysctl", "{\"net.core.somaxconn\":512}"), "isolator-value",
		  "/isolators/1/value/net.core.somaxconn" },
		{ "/isolators/-", ISOLATOR("os/unix/sysctl", "{\"../../etc/passwd\":\"x\"}"), "isolator-value",
		  "/isolators/1/value/..~1..~1etc~1passwd" },
		{ "/isolators/-", ISOLATOR("os/unix/sysctl", "{\"\":\"x\"}"), "isolator-value", "/isolators/1/value/" },
		{ "/isolators/-", ISOLATOR("os/unix/sysctl", "{\"a..b\":\"x\"}"), "isolator-value",
		  "/isolators/1/value/a..b" },
		{ "/isolators/-", ISOLATOR("os/unix/sysctl", "{\"a.b\":\"x\\ny\"}"), "isolator-value",
		  "/isolators/1/value/a.b" },
		{ "/isolators/-", ISOLATOR("os/unix/sysctl", "\"a=b\""), "isolator-value", "/isolators/1/value" },
		{ "/isolators/-", ISOLATOR("os/linux/no-new-privileges", "true"), "~isolator-list", "/isolators/1" },
		{ "/isolators", "[" ISOLATOR("os/unix/sysctl", "{}") "," ISOLATOR("os/unix/sysctl", "{}") "]",
		  "isolator-list", "/isolators/1" },
		{ "/annotations/-", "{\"name\":\"n\",\"value\":\"w\"}", "annotation", "/annotations/1" },
		{ "/userLabels", "{\"a\":null}", "json-type", "/userLabels/a" },
	};

	RUN(pod_text, cases);
}

TEST(pod_ports, "pod manifest: exposed ports")
{
	static const struct change cases[] = {
		{ "/ports/0/hostPort", NULL, "member-required", NULL },
		{ "/ports/0/hostPort", "0", "exposed-port", NULL },
		{ "/ports/0/hostPort", "65536", "exposed-port", NULL },
		{ "/ports/0/hostPort", "-80", "exposed-port", NULL },
		{ "/ports/0/hostPort", "\"80\"", "json-type", NULL },
		{ "/ports/0/name", "\"none\"", "exposed-port", NULL },
		{ "/ports/0/name", NULL, "member-required", NULL },
		{ "/ports/0/hostIP", "\"10.0.0.1\"", NULL, NULL },
		{ "/ports/0/hostIP", "\"fe80::1\"", NULL, NULL },
		{ "/ports/0/hostIP", "\"\"", NULL, NULL },
		{ "/ports/0/hostIP", "\"10.0.0\"", "exposed-port", NULL },
		{ "/ports/0/hostIP", "\"localhost\"", "exposed-port", NULL },
		{ "/ports/-", "{\"name\":\"x\",\"hostPort\":1,\"podPort\":{\"name\":\"x\",\"protocol\":\"tcp\",\"port\":1}}", NULL,
		  NULL },
		{ "/ports/-", "{\"name\":\"x\",\"hostPort\":1,\"podPort\":{\"name\":\"x\",\"protocol\":\"tcp\",\"port\":0}}",
		  "port", "/ports/1/podPort/port" },
		{ "/ports/-", "{\"name\":\"x\",\"hostPort\":1,\"podPort\":{\"name\":\"x\",\"protocol\":\"tcp\"}}",
		  "member-required", "/ports/1/podPort/port" },
		{ "/ports/-", "{\"name\":\"http\",\"hostPort\":1,\"podPort\":80}", "json-type", "/ports/1/podPort" },
		{ "/apps/1/app/ports", "[{\"name\":\"other\",\"protocol\":\"tcp\",\"port\":80}]", NULL, NULL },
	};
	static const struct change shared = {
		"/apps/1/app/ports", "[{\"name\":\"http\",\"protocol\":\"tcp\",\"port\":80}]", NULL, NULL
	};
	struct findings f = { 0 };
	struct err e = { 0 };
	auto_json cJSON *j = json_parse_err(pod_text, strlen(pod_text), &e);

	RUN(pod_text, cases);
	/* a name that two apps use: a warning for the second, an error where it is exposed */
	CHECK(change(j, shared.where, shared.value));
	CHECK(!parse(pod_text, j, &f));
	CHECK_INT(f.n, 2);
	if (f.n == 2) {
		CHECK_STR(f.v[0].rule, "port-unique");
		CHECK_STR(f.v[0].where, "/apps/1/app/ports/0");
		CHECK_INT(f.v[0].level, FINDING_WARNING);
		CHECK_STR(f.v[1].rule, "exposed-port");
		CHECK_STR(f.v[1].where, "/ports/0/name");
	}
	findings_free(&f);
	CHECK(change(j, "/ports", "[]"));
	CHECK(parse(pod_text, j, &f));
	CHECK_INT(f.warnings, 1);
	findings_free(&f);
}

UNIT_MAIN(image_members, app_members, app_places, image_rest, resources, linux_isolators, pod_apps, pod_volumes,
	  pod_ports)
