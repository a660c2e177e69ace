/* SPDX-License-Identifier: Apache-2.0
 * What the metadata service says of a pod, whom it believes, and how it treats its connections.
 */
#include "core/mds/service.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/base/fd.h"
#include "testsuite/unit/unit.h"

#define UUID  "6f1c0a3e-3f5c-4b58-9d0e-0123456789ab"
#define OTHER "6f1c0a3e-3f5c-4b58-9d0e-0123456789ac"
#define TOKEN "0123456789abcdef0123456789abcdef"

static const char pod_text[] =
	"{\"acVersion\":\"0.8.11\",\"acKind\":\"PodManifest\",\"apps\":[{\"name\":\"web\",\"image\":{\"id\":\"sha512-ab\"},"
	"\"annotations\":[{\"name\":\"b\",\"value\":\"pod\"},{\"name\":\"c\",\"value\":\"new\"}]},"
	"{\"name\":\"web-2\",\"image\":{\"id\":\"sha512-cd\"}},{\"name\":\"bare\",\"image\":{\"id\":\"sha512-ef\"}}]}";
static const char image_text[] = "{ \"name\" : \"example.com/web\", \"annotations\":[{\"name\":\"a\",\"value\":\"1\"},"
				 "{\"name\":\"b\",\"value\":\"image\"}]}";

struct kit { char dir[64]; int dir_fd; struct mds_pod p; struct err e; };

static bool put(int dir_fd, const char *path, const char *text)
{
	auto_close int fd = openat(dir_fd, path, O_WRONLY | O_CREAT | O_CLOEXEC, 0640);

	return fd >= 0 && fd_write_all(fd, text, strlen(text)) == 0;
}

static bool set_up(struct kit *k)
{
	const char *tmp = getenv("TMPDIR");

	*k = (struct kit){ .p = { .uuid = UUID, .token = TOKEN } };
	snprintf(k->dir, sizeof(k->dir), "%.40s/mds-unit.XXXXXX", tmp ? tmp : "/tmp");
	if (!mkdtemp(k->dir) || (k->dir_fd = open(k->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) < 0)
		return false;
	return fd_mkdirs(k->dir_fd, "appsinfo/web", 0755, &k->e) == 0 && fd_mkdirs(k->dir_fd, "appsinfo/web-2", 0755, &k->e) == 0 &&
	       put(k->dir_fd, "pod", pod_text) && put(k->dir_fd, "appsinfo/web/manifest", image_text) &&
	       put(k->dir_fd, "appsinfo/web-2/manifest", "{}") && mds_pod_load(&k->p, k->dir_fd, k->dir_fd, &k->e) == 0;
}

static void tear_down(struct kit *k)
{
	struct err e;

	mds_pod_free(&k->p);
	close(k->dir_fd);
	fd_remove_tree(AT_FDCWD, k->dir, &e);
}

static struct mds_reply ask(const struct mds_pod *p, enum mds_method m, const char *path, const char *form)
{
	struct mds_request q = { .method = m, .path = path, .body = form ? form : "", .form = form != NULL };
	struct mds_reply r = { .status = 0 };

	q.body_len = strlen(q.body);
	mds_answer(mds_is_pod(p, path) ? p : NULL, &q, &r);
	return r;
}

static void says(const struct mds_pod *p, const char *path, const char *type, const char *want)
{
	char whole[256];

	snprintf(whole, sizeof(whole), "/" TOKEN "/acMetadata/v1/%s", path);
	struct mds_reply r = ask(p, MDS_GET, whole, NULL);
	CHECK_INT(r.status, 200);
	CHECK_STR(r.body.data, want);
	CHECK_STR(r.type ? r.type : MDS_TEXT, type);
	buf_free(&r.body);
	r = ask(p, MDS_HEAD, whole, NULL);
	CHECK_INT(r.status, 200);
	buf_free(&r.body);
	r = ask(p, MDS_POST, whole, "a=b");
	CHECK_INT(r.status, 405);
	CHECK_STR(r.allow, "GET, HEAD");
	buf_free(&r.body);
}

TEST(end_points, "service: what it says of the pod and of its apps, and as what")
{
	struct kit k;

	REQUIRE(set_up(&k));
	says(&k.p, "pod/uuid", "text/plain; charset=us-ascii", UUID);
	says(&k.p, "pod/annotations", "application/json", "[]");
	struct mds_reply r = ask(&k.p, MDS_GET, "/" TOKEN "/acMetadata/v1/pod/manifest", NULL);
	CHECK_INT(r.status, 200);
	CHECK_HAS(r.body.data, "\"annotations\":[]}");
	CHECK(!strncmp(r.body.data, pod_text, strlen(pod_text) - 1));
	buf_free(&r.body);
	says(&k.p, "apps/web/image/id", "text/plain; charset=us-ascii", "sha512-ab");
	says(&k.p, "apps/web/image/manifest", "application/json", image_text);
	says(&k.p, "apps/web-2/image/id", "text/plain; charset=us-ascii", "sha512-cd");
	says(&k.p, "apps/web-2/annotations", "application/json", "[]");
	tear_down(&k);
}

TEST(merged, "service: annotations of an app: the image's, and the pod's word where both have one")
{
	struct kit k;

	REQUIRE(set_up(&k));
	for (int i = 0; i < 2; i++) /* asking changes nothing */
		says(&k.p, "apps/web/annotations", "application/json",
		     "[{\"name\":\"a\",\"value\":\"1\"},{\"name\":\"b\",\"value\":\"pod\"},{\"name\":\"c\",\"value\":\"new\"}]");
	tear_down(&k);
}

TEST(lost, "service: what is not there is 404, and with a wrong token everything is")
{
	static const char *const paths[] = {
		"/", "", "x", "/" TOKEN, "/" TOKEN "/", "/" TOKEN "/acMetadata/v1/", "/" TOKEN "/acMetadata/v1/pod",
		"/" TOKEN "/acMetadata/v1/pod/uuid/", "/" TOKEN "/acMetadata/v1//pod/uuid", "/" TOKEN "/acMetadata/v2/pod/uuid",
		"/" TOKEN "/acMetadata/v1/apps/we/image/id", "/" TOKEN "/acMetadata/v1/apps/web", "/" TOKEN "/acMetadata/v1/apps/",
		"/" TOKEN "/acMetadata/v1/apps//image/id", "/" TOKEN "/acMetadata/v1/apps/web/pod/uuid",
		"/" TOKEN "/acMetadata/v1/apps/../pod/uuid", "/" TOKEN "/acMetadata/v1/annotations",
		"/" TOKEN "/acMetadata/v1/apps/web/image/id?x", "/0123456789abcdef0123456789abcdee/acMetadata/v1/pod/uuid",
		"/" TOKEN "0/acMetadata/v1/pod/uuid", "/0123456789abcdef0123456789abcde/acMetadata/v1/pod/uuid",
		"/1123456789abcdef0123456789abcdef/acMetadata/v1/pod/uuid", "//acMetadata/v1/pod/uuid",
		"/0123456789ABCDEF0123456789ABCDEF/acMetadata/v1/pod/uuid",
	};
	struct kit k;

	REQUIRE(set_up(&k));
	for (size_t i = 0; i < sizeof(paths) / sizeof(*paths); i++) {
		struct mds_reply r = ask(&k.p, MDS_DELETE, paths[i], NULL);
		if (r.status != 404)
			printf("# %s\n", paths[i]);
		CHECK_INT(r.status, 404);
		CHECK_INT(r.body.len, 0);
	}
	struct mds_reply r = ask(&k.p, MDS_GET, "/" TOKEN "/acMetadata/v1/apps/bare/image/manifest", NULL);
	CHECK_INT(r.status, 500);
	/* without a token nobody is right */
	k.p.token[0] = 0;
	r = ask(&k.p, MDS_GET, "//acMetadata/v1/pod/uuid", NULL);
	CHECK_INT(r.status, 404);
	tear_down(&k);
}

static int post(const struct mds_pod *p, const char *what, const char *form, char *out)
{
	char path[200];

	snprintf(path, sizeof(path), "/%s/acMetadata/v1/pod/hmac/%s", p->token, what);
	struct mds_reply r = ask(p, MDS_POST, path, form);
	if (out)
		snprintf(out, 200, "%s", r.body.data ? r.body.data : "");
	buf_free(&r.body);
	return r.status;
}

/* + of base64 is a blank in a form */
static void escape(const char *sig, char *out)
{
	for (; *sig; sig++)
		out += sprintf(out, strchr("+/=", *sig) ? "%%%02X" : "%c", *sig);
}

TEST(signatures, "service: signs, and verifies what this and other pods of the host have signed")
{
	struct kit k;
	char sig[200] = "", again[200], esc[600], form[2000];
	struct mds_pod other = { .uuid = OTHER, .token = "t" };

	REQUIRE(set_up(&k));
	REQUIRE(mds_pod_load(&other, k.dir_fd, k.dir_fd, &k.e) == 0);
	CHECK_INT(post(&k.p, "sign", "content=a%00b", sig), 200);
	CHECK_INT(strlen(sig), MDS_SIG_LEN);
	CHECK_INT(post(&k.p, "sign", "content=a", again), 200);
	CHECK(strcmp(sig, again) != 0);
	CHECK_INT(post(&other, "sign", "content=a%00b", again), 200);
	CHECK(strcmp(sig, again) != 0);
	escape(sig, esc);
	static const struct { int status; const char *form; } all[] = {
		{ 200, "content=a%%00b&uuid=" UUID "&signature=%s" },
		{ 200, "content=a%%00b&uuid=6F1C0A3E-3F5C-4B58-9D0E-0123456789AB&signature=%s" },
		{ 403, "content=a&uuid=" UUID "&signature=%s" },
		{ 403, "content=a%%00b&uuid=" OTHER "&signature=%s" },
		{ 403, "content=a%%00b&uuid=" UUID "&signature=%sA" },
		{ 403, "content=a%%00b&uuid=" UUID "&signature=A%s" },
		{ 403, "content=a%%00b&uuid=" UUID "&signature=" },
		{ 400, "content=a%%00b&uuid=" UUID "&signature=%s%%00" },
		{ 400, "content=a%%00b&uuid=" UUID "0&signature=%s" },
		{ 400, "content=a%%00b&uuid=x&signature=%s" },
		{ 400, "content=a%%00b&uuid=&signature=%s" },
		{ 400, "content=a%%00b&signature=%s" },
		{ 400, "content=a%%00b&uuid=" UUID },
		{ 400, "uuid=" UUID "&signature=%s" },
		{ 400, "content=a%%00b&content=a%%00b&uuid=" UUID "&signature=%s" },
		{ 400, "content=%%0&uuid=" UUID "&signature=%s" },
	};
	for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++) {
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
		snprintf(form, sizeof(form), all[i].form, esc);
#pragma GCC diagnostic pop
		for (int by_other = 0; by_other < 2; by_other++) {
			int status = post(by_other ? &other : &k.p, "verify", form, NULL);
			if (status != all[i].status)
				printf("# %s\n", form);
			CHECK_INT(status, all[i].status);
		}
	}
	for (size_t i = 0; i < MDS_SIG_LEN; i++) {
		char wrong[200];
		strcpy(wrong, sig);
		wrong[i] = wrong[i] == 'A' ? 'B' : 'A';
		CHECK_INT(mds_verify(k.p.key, UUID, "a\0b", 3, wrong), 0);
	}
	CHECK_INT(mds_verify(k.p.key, UUID, "a\0b", 3, sig), 1);
	CHECK_INT(post(&k.p, "sign", "contents=a", NULL), 400);
	CHECK_INT(post(&k.p, "sign", NULL, NULL), 400);
	k.p.has_key = false;
	CHECK_INT(post(&k.p, "sign", "content=a", NULL), 500);
	mds_pod_free(&other);
	tear_down(&k);
}

TEST(known, "service: a signature is HMAC-SHA512 with the key of the pod, which is HMAC-SHA512 of its UUID with the host's")
{
	uint8_t key[MDS_KEY_LEN];
	char sig[MDS_SIG_LEN + 1];

	for (int i = 0; i < MDS_KEY_LEN; i++)
		key[i] = (uint8_t)i;
	CHECK_INT(mds_sign(key, UUID, "what is signed", 14, sig), 0);
	/* python3: hmac.digest(hmac.digest(bytes(range(64)), UUID, "sha512"), b"what is signed", "sha512") */
	CHECK_STR(sig, "1sJt+UepHZfpw4PYKmae5cNIL+oVJ5IcvRLPz2M58/FhKtLNEAQOp38bUFE8nZ7kLrqBFIMXwuTE0OLmWPWM6w==");
}

TEST(keys, "service: one key of the host, its owner's alone, made once, and lasting")
{
	uint8_t first[MDS_KEY_LEN], key[MDS_KEY_LEN];
	struct kit k;
	struct stat st;
	int status;

	REQUIRE(set_up(&k));
	CHECK_INT(mds_key_load(k.dir_fd, first, &k.e), 0);
	CHECK(!memcmp(first, k.p.key, MDS_KEY_LEN));
	CHECK_INT(fstatat(k.dir_fd, "mds", &st, 0), 0);
	CHECK_INT(st.st_mode & 0777, 0700);
	CHECK_INT(fstatat(k.dir_fd, "mds/key", &st, 0), 0);
	CHECK_INT(st.st_mode, S_IFREG | 0600);
	CHECK_INT(st.st_size, MDS_KEY_LEN);
	/* many at once, when there is none */
	CHECK_INT(unlinkat(k.dir_fd, "mds/key", 0), 0);
	for (int i = 0; i < 20; i++)
		if (fork() == 0) {
			char name[16];
			snprintf(name, sizeof(name), "k%d", i);
			_exit(mds_key_load(k.dir_fd, key, &k.e) < 0 ||
			      fd_publish(k.dir_fd, name, key, sizeof(key), 0600, false, &k.e) < 0);
		}
	while (wait(&status) > 0)
		CHECK_INT(status, 0);
	CHECK_INT(mds_key_load(k.dir_fd, first, &k.e), 0);
	CHECK(memcmp(first, k.p.key, MDS_KEY_LEN) != 0);
	for (int i = 0; i < 20; i++) {
		char name[16], *text = NULL;
		snprintf(name, sizeof(name), "k%d", i);
		CHECK_INT(fd_read_file(k.dir_fd, name, 100, &text, NULL, &k.e), 0);
		CHECK(text && !memcmp(text, first, MDS_KEY_LEN));
		free(text);
	}
	/* never replaced */
	auto_close int fd = openat(k.dir_fd, "mds/key", O_WRONLY | O_TRUNC | O_CLOEXEC);
	CHECK(fd >= 0);
	CHECK_INT(mds_key_load(k.dir_fd, key, &k.e), -1);
	CHECK_HAS(k.e.msg, "damaged");
	tear_down(&k);
}

TEST(tokens, "service: tokens are random, and what may be one")
{
	char a[MDS_TOKEN_LEN + 1], b[MDS_TOKEN_LEN + 1], url[MDS_URL_MAX];

	mds_token_new(a);
	mds_token_new(b);
	CHECK(strcmp(a, b) != 0);
	CHECK_INT(strlen(a), 32);
	CHECK_INT(strspn(a, "0123456789abcdef"), 32);
	CHECK(mds_token_ok(a) && mds_token_ok("some-token_1"));
	CHECK(!mds_token_ok("") && !mds_token_ok("a/b") && !mds_token_ok("a b") && !mds_token_ok("a%41"));
	CHECK_STR(mds_url(url, MDS_PORT, "t"), "http://127.0.0.1:18112/t");
}

/* ---- connections ---- */

static const struct mds_pod *find(void *ctx, const char *path)
{
	return mds_is_pod(ctx, path) ? ctx : NULL;
}

/* a server at DIR/socket */
static pid_t serve(struct kit *k, int idle_ms)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	snprintf(at.sun_path, sizeof(at.sun_path), "%s/socket", k->dir);
	if (fd < 0 || bind(fd, (struct sockaddr *)&at, sizeof(at)) < 0 || listen(fd, 128) < 0)
		return -1;
	const struct mds_server s = { .listen_fd = fd, .idle_ms = idle_ms, .find = find, .others = { -1, -1 }, .ctx = &k->p };
	pid_t pid = fork();
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
		_exit(mds_serve(&s, &k->e) ? 1 : 0);
	}
	close(fd);
	return pid;
}

static int dial(const struct kit *k)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	struct timeval patience = { .tv_sec = 40 };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(at.sun_path, sizeof(at.sun_path), "%s/socket", k->dir);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	CHECK_INT(connect(fd, (struct sockaddr *)&at, sizeof(at)), 0);
	return fd;
}

static void tell(int fd, const char *text)
{
	CHECK_INT(send(fd, text, strlen(text), MSG_NOSIGNAL), strlen(text));
}

/* one reply, or all until the end, of which the last bytes are the body */
static char *hear(int fd)
{
	static char text[4096];
	size_t len = 0, want = sizeof(text) - 1;
	char *end, *length;

	while (len < want) {
		ssize_t n = recv(fd, text + len, want == sizeof(text) - 1 ? 1 : want - len, 0);
		if (n <= 0)
			break;
		text[len += (size_t)n] = 0;
		if (want == sizeof(text) - 1 && (end = strstr(text, "\r\n\r\n")) && (length = strstr(text, "Content-Length: ")))
			want = (size_t)(end + 4 - text) + strtoul(length + 16, NULL, 10);
	}
	text[len] = 0;
	return text;
}

#define UUID_PATH "/" TOKEN "/acMetadata/v1/pod/uuid"
#define ASK       "GET " UUID_PATH " HTTP/1.1\r\nHost: x\r\n"

static bool is_uuid(const char *reply)
{
	size_t n = strlen(reply);

	return !strncmp(reply, "HTTP/1.1 200 ", 13) && n > 36 && !strcmp(reply + n - 36, UUID);
}

TEST(conversation, "server: many requests on a connection, one after the other, all at once and byte by byte")
{
	struct kit k;

	REQUIRE(set_up(&k));
	pid_t pid = serve(&k, -1);
	REQUIRE(pid > 0);
	int fd = dial(&k);
	for (int i = 0; i < 5; i++) {
		tell(fd, ASK "\r\n");
		CHECK(is_uuid(hear(fd)));
	}
	tell(fd, ASK "\r\n" ASK "\r\n" ASK "Connection: close\r\n\r\n" ASK "\r\n");
	for (int i = 0; i < 3; i++)
		CHECK(is_uuid(hear(fd)));
	CHECK_STR(hear(fd), "");
	close(fd);
	fd = dial(&k);
	for (const char *p = "POST " UUID_PATH " HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nab" ASK "\r\n"; *p; p++) {
		CHECK_INT(send(fd, p, 1, MSG_NOSIGNAL), 1);
		usleep(50);
	}
	CHECK_HAS(hear(fd), "405 ");
	CHECK(is_uuid(hear(fd)));
	close(fd);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	tear_down(&k);
}

TEST(refusals, "server: what is malformed or too large gets its status, and then the end")
{
	static char large[MDS_BODY_MAX + 200];
	struct kit k;

	REQUIRE(set_up(&k));
	pid_t pid = serve(&k, -1);
	REQUIRE(pid > 0);
	int fd = dial(&k);
	tell(fd, "GET / HTTP/1.1\n\n" ASK "\r\n");
	CHECK_HAS(hear(fd), "400 Bad Request");
	CHECK_STR(hear(fd), "");
	close(fd);
	fd = dial(&k);
	/* it goes on sending what nobody wants, and hears the reply all the same */
	snprintf(large, sizeof(large), "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999\r\n\r\n");
	memset(large + strlen(large), 'x', MDS_BODY_MAX);
	CHECK_INT(send(fd, large, MDS_BODY_MAX, MSG_NOSIGNAL), MDS_BODY_MAX);
	CHECK_HAS(hear(fd), "413 Content Too Large");
	close(fd);
	/* the largest there may be */
	fd = dial(&k);
	int n = snprintf(large, sizeof(large), "POST " UUID_PATH " HTTP/1.1\r\nHost: x\r\nContent-Length: %u\r\n\r\n", MDS_BODY_MAX);
	memset(large + n, 'x', MDS_BODY_MAX);
	CHECK_INT(send(fd, large, (size_t)n + MDS_BODY_MAX, MSG_NOSIGNAL), n + (int)MDS_BODY_MAX);
	CHECK_HAS(hear(fd), "405 ");
	tell(fd, ASK "\r\n");
	CHECK(is_uuid(hear(fd)));
	close(fd);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	tear_down(&k);
}

TEST(crowd, "server: so many connections at once, one more instead of who is silent, and none that only takes memory")
{
	struct kit k;
	int fds[MDS_CONNECTIONS + 1], r = 0;
	static char part[MDS_BODY_MAX / 2];

	REQUIRE(set_up(&k));
	pid_t pid = serve(&k, -1);
	REQUIRE(pid > 0);
	for (int i = 0; i < MDS_CONNECTIONS; i++) {
		fds[i] = dial(&k);
		tell(fds[i], ASK);
	}
	for (int i = MDS_CONNECTIONS - 1; i >= 0; i--) {
		tell(fds[i], "\r\n");
		CHECK(is_uuid(hear(fds[i])));
	}
	fds[MDS_CONNECTIONS] = dial(&k);
	tell(fds[MDS_CONNECTIONS], ASK "\r\n");
	CHECK(is_uuid(hear(fds[MDS_CONNECTIONS])));
	int n_gone = 0;
	char none;
	for (int i = 0; i < MDS_CONNECTIONS; i++)
		n_gone += recv(fds[i], &none, 1, MSG_DONTWAIT) == 0;
	CHECK_INT(n_gone, 1);
	close(fds[0]);
	/* half a MiB each, of which 8 MiB are taken at once */
	int n = snprintf(part, sizeof(part), "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: %u\r\n\r\n", MDS_BODY_MAX);
	memset(part + n, 'x', sizeof(part) - (size_t)n);
	for (int i = 1; i < 40; i++)
		if (send(fds[i], part, sizeof(part), MSG_NOSIGNAL) < 0)
			r++;
	for (int i = 1; i < 40; i++) {
		char head[13] = "";
		usleep(1000);
		if (recv(fds[i], head, 12, MSG_DONTWAIT) == 12 && !strcmp(head, "HTTP/1.1 503"))
			r++;
	}
	CHECK(r >= 40 - 1 - 16);
	int fd = dial(&k);
	tell(fd, ASK "\r\n");
	CHECK(is_uuid(hear(fd)));
	close(fd);
	for (int i = 1; i <= MDS_CONNECTIONS; i++)
		close(fds[i]);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	tear_down(&k);
}

TEST(idle, "server: ends when nobody has come for a while, and not while somebody is there")
{
	struct kit k;
	int status = -1;

	REQUIRE(set_up(&k));
	pid_t pid = serve(&k, 200);
	REQUIRE(pid > 0);
	int fd = dial(&k);
	usleep(500000);
	tell(fd, ASK "\r\n");
	CHECK(is_uuid(hear(fd)));
	close(fd);
	CHECK_INT(waitpid(pid, &status, 0), pid);
	CHECK_INT(status, 0);
	tear_down(&k);
}

TEST(silent, "server: half a request has 10 seconds, a connection without one ends then as well")
{
	struct kit k;

	REQUIRE(set_up(&k));
	pid_t pid = serve(&k, -1);
	REQUIRE(pid > 0);
	int fd = dial(&k), quiet = dial(&k);
	tell(fd, ASK);
	CHECK_HAS(hear(fd), "408 Request Timeout");
	CHECK_STR(hear(quiet), "");
	close(fd);
	close(quiet);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	tear_down(&k);
}

UNIT_MAIN(end_points, merged, lost, signatures, known, keys, tokens, conversation, refusals, crowd, idle, silent)
