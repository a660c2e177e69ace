/* SPDX-License-Identifier: Apache-2.0
 * keys - tokens, and signatures with the host's key
 *
 * Signature: HMAC-SHA512 of the content, with the pod's key, which is HMAC-SHA512 of its UUID with the host's key.
 * Source: RFC 2104; appc spec, spec/ace.md, "Identity Endpoint".
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>

#include <mbedtls/base64.h>
#include <mbedtls/constant_time.h>
#include <mbedtls/md.h>
#include <mbedtls/platform_util.h>

#include "core/base/fd.h"
#include "core/base/hash.h"
#include "core/base/lock.h"
#include "core/mds/service.h"

#define KEY_FILE "key"

static void fill(void *out, size_t len)
{
	/* up to 256 bytes come at once, after the kernel has gathered enough, once per boot */
	while (getrandom(out, len, 0) != (ssize_t)len)
		continue;
}

void mds_token_new(char *out)
{
	uint8_t bytes[MDS_TOKEN_LEN / 2];

	fill(bytes, sizeof(bytes));
	hash_hex(bytes, sizeof(bytes), out);
}

bool mds_token_ok(const char *token)
{
	size_t n = strlen(token);

	return n && n <= MDS_TOKEN_MAX &&
	       strspn(token, "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_-") == n;
}

char *mds_url(char *out, unsigned port, const char *token)
{
	snprintf(out, MDS_URL_MAX, "http://" MDS_ADDRESS ":%u/%s", port, token);
	return out;
}

/* under the directory's lock, so nobody has read another one */
static int make_key(int dir_fd, struct err *e)
{
	uint8_t key[MDS_KEY_LEN];

	fill(key, sizeof(key));
	int r = fd_publish(dir_fd, KEY_FILE, key, sizeof(key), 0600, true, e);
	mbedtls_platform_zeroize(key, sizeof(key));
	return r;
}

static int open_dir(int data_fd, struct err *e)
{
	bool made = mkdirat(data_fd, "mds", 0700) == 0;

	if (!made && errno != EEXIST)
		return err_sys(e, "create mds in the data directory");
	if (made && fsync(data_fd) < 0)
		return err_sys(e, "write the data directory");
	return fd_open_dir(data_fd, "mds", e);
}

int mds_key_load(int data_fd, uint8_t key[MDS_KEY_LEN], struct err *e)
{
	char *text = NULL;
	size_t len = 0;
	auto_close int dir_fd = open_dir(data_fd, e);

	if (dir_fd < 0 || lock_wait(dir_fd, LOCK_EXCLUSIVE, e) < 0)
		return -1;
	if (faccessat(dir_fd, KEY_FILE, F_OK, AT_SYMLINK_NOFOLLOW) < 0 && errno == ENOENT && make_key(dir_fd, e) < 0)
		return err_wrap(e, "key of the metadata service");
	if (fd_read_file(dir_fd, KEY_FILE, MDS_KEY_LEN, &text, &len, e) < 0)
		return err_wrap(e, "key of the metadata service");
	if (len == MDS_KEY_LEN)
		memcpy(key, text, MDS_KEY_LEN);
	mbedtls_platform_zeroize(text, len);
	free(text);
	return len == MDS_KEY_LEN ? 0 :
		       err_set(e, EINVAL, "mds/key in the data directory is damaged: put it back from a copy, or remove "
			       "it, and no signature made so far will be good any more");
}

static int hmac(const uint8_t *key, const void *data, size_t len, uint8_t out[HASH_SHA512_LEN])
{
	return mbedtls_md_hmac(mbedtls_md_info_from_type(MBEDTLS_MD_SHA512), key, MDS_KEY_LEN, data, len, out);
}

int mds_sign(const uint8_t *key, const char *uuid, const void *content, size_t len, char sig[MDS_SIG_LEN + 1])
{
	uint8_t pod_key[MDS_KEY_LEN], mac[HASH_SHA512_LEN];
	size_t n;

	_Static_assert(MDS_KEY_LEN == HASH_SHA512_LEN, "a key of a pod is a digest");
	bool done = hmac(key, (const uint8_t *)uuid, strlen(uuid), pod_key) == 0 && hmac(pod_key, content, len, mac) == 0 &&
		    mbedtls_base64_encode((unsigned char *)sig, MDS_SIG_LEN + 1, &n, mac, sizeof(mac)) == 0;
	mbedtls_platform_zeroize(pod_key, sizeof(pod_key));
	return done ? 0 : -1;
}

int mds_verify(const uint8_t *key, const char *uuid, const void *content, size_t len, const char *sig)
{
	char right[MDS_SIG_LEN + 1];

	if (mds_sign(key, uuid, content, len, right) < 0)
		return -1;
	return strlen(sig) == MDS_SIG_LEN && mbedtls_ct_memcmp(right, sig, MDS_SIG_LEN) == 0;
}
