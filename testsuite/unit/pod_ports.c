/* SPDX-License-Identifier: Apache-2.0
 * exposed ports: what --port says, and what a manifest's come to
 */
#include <errno.h>
#include <netinet/in.h>

#include "core/pod/ports.h"
#include "testsuite/unit/unit.h"

/* HOST is a member of "ports"; the apps have http (tcp 80), dns (tcp and udp 53), ftp (tcp 4000 to 4009), lisp (dccp) */
#define APP(name, ports) \
	"{\"name\":\"" name "\",\"image\":{\"id\":\"sha512-0123456789abcdef\"},\"app\":{\"exec\":[\"/x\"],\"user\":\"0\"," \
	"\"group\":\"0\",\"ports\":[" ports "]}}"
#define PORT(name, protocol, port) "{\"name\":\"" name "\",\"protocol\":\"" protocol "\",\"port\":" port "}"
#define POD(ports) \
	"{\"acKind\":\"PodManifest\",\"acVersion\":\"0.8.11\",\"apps\":[" \
	APP("web", PORT("http", "tcp", "80") "," PORT("dns", "tcp", "53") "," PORT("dns", "udp", "53")) "," \
	APP("ftp", PORT("ftp", "tcp", "4000,\"count\":10") "," PORT("lisp", "dccp", "4")) "],\"ports\":[" ports "]}"

static bool parse_pod(const char *ports, struct pod_manifest *m)
{
	struct findings f = { 0 };
	char text[4096];

	snprintf(text, sizeof(text), POD("%s"), ports);
	bool ok = pod_manifest_parse(text, strlen(text), m, &f);
	findings_free(&f);
	return ok;
}

static int resolve(const char *option, struct pod_port **v, size_t *n, struct err *e)
{
	static struct pod_manifest m;
	char one[64];

	pod_manifest_free(&m);
	*v = NULL;
	if (!parse_pod("", &m))
		return err_set(e, 0, "the manifest of the test");
	for (const char *p = option; *p; p += strspn(p, " ")) {
		size_t len = strcspn(p, " ");
		snprintf(one, sizeof(one), "%.*s", (int)len, p);
		if (ports_parse(one, &m, e) < 0)
			return -1;
		p += len;
	}
	return ports_resolve(&m, v, n, e);
}

TEST(options, "ports: NAME:[IP:]HOSTPORT leads to the apps' ports")
{
	struct pod_port *v;
	struct err e;
	size_t n;
	char ip[IP_TEXT_MAX];

	REQUIRE(resolve("http:8080", &v, &n, &e) == 0);
	CHECK_INT(n, 1);
	CHECK_STR(v->name, "http");
	CHECK(v->to.protocol == IPPROTO_TCP && v->to.host_port == 8080 && v->to.pod_port == 80 && v->to.count == 1);
	CHECK_INT(v->to.host_ip.len, 0);
	free(v);
	REQUIRE(resolve("http:127.0.0.1:8080 ftp:[fd00::1]:9000", &v, &n, &e) == 0);
	CHECK_INT(n, 2);
	CHECK_STR(ip_text(&v[0].to.host_ip, ip), "127.0.0.1");
	CHECK_STR(ip_text(&v[1].to.host_ip, ip), "fd00::1");
	CHECK(v[1].to.count == 10 && v[1].to.pod_port == 4000 && v[1].to.host_port == 9000);
	free(v);
	REQUIRE(resolve("dns:53", &v, &n, &e) == 0);
	CHECK_INT(n, 2);
	CHECK(v[0].to.protocol == IPPROTO_TCP && v[1].to.protocol == IPPROTO_UDP);
	free(v);
	REQUIRE(resolve("http:0.0.0.0:1", &v, &n, &e) == 0);
	CHECK_INT(v->to.host_ip.len, 0);
	free(v);
}

TEST(bad_options, "ports: what is no port is refused, and why")
{
	static const char *const bad[] = { "http", "http:", ":80", "http:0", "http:65536", "http:x", "http:8080x", "http:-1",
		"Http:80", "http:1.2.3:80", "http:fd00::1:80", "http:[fd00::1]", "http:[]:80", "http:[1.2.3.4:80",
		"http:host:80", "http:[fd00::1%lo]:80", "http: 80", "http::80" };
	struct pod_port *v;
	struct err e;
	size_t n;

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		struct pod_manifest m = { 0 };
		if (!unit_check(ports_parse(bad[i], &m, &e) < 0, __FILE__, __LINE__, bad[i]))
			continue;
		CHECK_INT(e.code, EINVAL);
		pod_manifest_free(&m);
	}
	CHECK(resolve("https:443", &v, &n, &e) < 0);
	CHECK_INT(e.code, ENOENT);
	CHECK_HAS(e.msg, "port \"https\": no app of the pod has a port of that name; there are: http (tcp 80, app web), dns");
	CHECK(resolve("lisp:4", &v, &n, &e) < 0);
	CHECK_HAS(e.msg, "dccp");
	CHECK(resolve("ftp:65530", &v, &n, &e) < 0);
	CHECK_INT(e.code, ERANGE);
	CHECK(resolve("ftp:65526", &v, &n, &e) == 0);
	free(v);
}

TEST(collisions, "ports: two of them cannot have one port of the host")
{
	static const struct { const char *option; bool good; } cases[] = {
		{ "http:80 ftp:80", false }, { "ftp:75 http:80", false }, { "ftp:71 http:80", false }, { "ftp:70 http:80", true },
		{ "http:80 ftp:81", true }, { "http:127.0.0.1:80 ftp:80", false }, { "http:80 ftp:127.0.0.1:80", false },
		{ "http:127.0.0.1:80 ftp:127.0.0.2:80", true }, { "http:127.0.0.1:80 ftp:[::1]:80", true },
		{ "http:80 http:80", false }, { "http:80 http:81", true }, { "dns:53 http:53", false },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct pod_port *v;
		struct err e = { 0 };
		size_t n;
		int r = resolve(cases[i].option, &v, &n, &e);
		unit_check((r == 0) == cases[i].good, __FILE__, __LINE__, cases[i].option);
		if (r < 0)
			CHECK_INT(e.code, EEXIST);
		free(v);
	}
	struct pod_port *v;
	struct err e;
	size_t n;
	CHECK(resolve("ftp:75 http:80", &v, &n, &e) < 0);
	CHECK_HAS(e.msg, "port \"http\": port 80/tcp of the host leads to port \"ftp\" already");
}

TEST(manifest, "ports: podPort says itself where a port leads")
{
	struct pod_manifest m;
	struct pod_port *v;
	struct err e;
	size_t n;

	REQUIRE(parse_pod("{\"name\":\"x\",\"hostPort\":5000,\"hostIP\":\"10.0.0.1\",\"podPort\":" PORT("x", "udp", "7") "}", &m));
	REQUIRE(ports_resolve(&m, &v, &n, &e) == 0);
	CHECK_INT(n, 1);
	CHECK(v->to.protocol == IPPROTO_UDP && v->to.host_port == 5000 && v->to.pod_port == 7 && v->to.host_ip.len == 4);
	free(v);
	pod_manifest_free(&m);
}

UNIT_MAIN(options, bad_options, collisions, manifest)
