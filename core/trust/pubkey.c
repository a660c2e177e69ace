/* SPDX-License-Identifier: Apache-2.0
 * pubkey - see pubkey.h
 *
 * The long numbers and the curves of NIST are mbedTLS', Ed25519 is libsodium's, which refuses what can be written in
 * two ways (S beyond the order of the group) and points of small order. DSA, which neither has, stands here.
 */
#include "core/trust/pubkey.h"

#include <errno.h>
#include <mbedtls/bignum.h>
#include <mbedtls/ecdsa.h>
#include <sodium/crypto_sign_ed25519.h>
#include <string.h>

#include "core/base/hash.h"

#define KEY_MAX      65535u /* a version 4 fingerprint counts the length in 16 bits */
#define BITS_MIN     2048u
#define RSA_MAX      8192u
#define EXPONENT_MAX 64u /* of RSA; a longer one would only cost time */
#define DSA_MAX      4096u
#define ORDER_MIN    224u /* of DSA's subgroup */
#define ORDER_MAX    512u

enum algorithm { RSA = 1, RSA_SIGN = 3, DSA = 17, ECDSA = 19, EDDSA = 22, ED25519 = 27 };

static const struct curve {
	uint8_t              oid[10]; /* its length first */
	char                 name[16];
	mbedtls_ecp_group_id group; /* or none */
} curves[] = {
	{ "\x08\x2a\x86\x48\xce\x3d\x03\x01\x07", "P-256", MBEDTLS_ECP_DP_SECP256R1 },
	{ "\x05\x2b\x81\x04\x00\x22", "P-384", MBEDTLS_ECP_DP_SECP384R1 },
	{ "\x05\x2b\x81\x04\x00\x23", "P-521", MBEDTLS_ECP_DP_SECP521R1 },
	{ "\x09\x2b\x06\x01\x04\x01\xda\x47\x0f\x01", "Ed25519", MBEDTLS_ECP_DP_NONE },
	{ "\x05\x2b\x81\x04\x00\x0a", "secp256k1", MBEDTLS_ECP_DP_NONE },
	{ "\x09\x2b\x24\x03\x03\x02\x08\x01\x01\x07", "brainpoolP256r1", MBEDTLS_ECP_DP_NONE },
	{ "\x09\x2b\x24\x03\x03\x02\x08\x01\x01\x0b", "brainpoolP384r1", MBEDTLS_ECP_DP_NONE },
	{ "\x09\x2b\x24\x03\x03\x02\x08\x01\x01\x0d", "brainpoolP512r1", MBEDTLS_ECP_DP_NONE },
	{ "\x03\x2b\x65\x71", "Ed448", MBEDTLS_ECP_DP_NONE },
};

const char *pubkey_algorithm(uint8_t algorithm)
{
	static const struct { uint8_t id; char name[8]; } names[] = {
		{ RSA, "RSA" },	    { 2, "RSA" },    { RSA_SIGN, "RSA" }, { 16, "ElGamal" }, { DSA, "DSA" },	  { 18, "ECDH" },
		{ ECDSA, "ECDSA" }, { 20, "ElGamal" }, { EDDSA, "Ed25519" }, { 25, "X25519" }, { 26, "X448" }, { ED25519, "Ed25519" },
		{ 28, "Ed448" },
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (names[i].id == algorithm)
			return names[i].name;
	return "unknown algorithm";
}

/* ---- reading ---- */

/* RFC 9580, 5.2.4 and 5.5.4 */
void pubkey_feed(const struct pubkey *k, struct sha *s)
{
	const uint8_t size[] = { (uint8_t)(k->len >> 8), (uint8_t)k->len };

	sha_feed(s, k->version == 4 ? "\x99" : "\x9b\0\0", k->version == 4 ? 1 : 3);
	sha_feed(s, size, sizeof(size));
	sha_feed(s, k->body, k->len);
}

static void fingerprint(struct pubkey *k)
{
	uint8_t digest[SHA_LEN_MAX];
	struct sha s;

	sha_start(&s, k->version == 4 ? SHA_1 : SHA_256);
	pubkey_feed(k, &s);
	sha_final(&s, digest);
	hash_hex(digest, sha_len(s.kind), k->fingerprint);
}

int pubkey_read(const struct packet *pk, struct pubkey *k, struct err *e)
{
	struct reader r = { pk->body, pk->len, false };

	*k = (struct pubkey){ .body = pk->body, .len = pk->len, .version = (uint8_t)read_number(&r, 1) };
	if (pk->len < 6 || pk->len > KEY_MAX)
		return err_set(e, EINVAL, "OpenPGP key of %zu bytes", pk->len);
	if (k->version != 4 && k->version != 6)
		return err_set(e, ENOTSUP, "OpenPGP key of version %u; only 4 and 6 are secure", k->version);
	k->created = read_number(&r, 4);
	k->algorithm = (uint8_t)read_number(&r, 1);
	if (k->version == 6 && read_number(&r, 4) != r.left)
		return err_set(e, EINVAL, "OpenPGP key whose lengths do not agree");
	k->material = r;
	fingerprint(k);
	return 0;
}

bool pubkey_is(const struct pubkey *k, const char *issuer)
{
	if (strlen(issuer) != KEY_ID_LEN)
		return !strcmp(k->fingerprint, issuer);
	return !strncmp(k->fingerprint + (k->version == 4 ? 40 - KEY_ID_LEN : 0), issuer, KEY_ID_LEN);
}

/* ---- verification ---- */

static int no_match(struct err *e)
{
	return err_set(e, EBADMSG, "the signature does not match");
}

static int malformed(struct err *e)
{
	return err_set(e, EINVAL, "malformed public key");
}

static bool complete(const struct reader *r)
{
	return !r->failed && !r->left;
}

struct nums { mbedtls_mpi v[11]; };

static struct nums nums_new(void)
{
	struct nums n;

	for (size_t i = 0; i < sizeof(n.v) / sizeof(*n.v); i++)
		mbedtls_mpi_init(&n.v[i]);
	return n;
}

static void nums_free(struct nums *n)
{
	for (size_t i = 0; i < sizeof(n->v) / sizeof(*n->v); i++)
		mbedtls_mpi_free(&n->v[i]);
}

#define auto_nums __attribute__((cleanup(nums_free)))

static int load(mbedtls_mpi *v, struct mpi m)
{
	return mbedtls_mpi_read_binary(v, m.p, m.len);
}

/* 0 < v < max */
static bool within(const mbedtls_mpi *v, const mbedtls_mpi *max)
{
	return mbedtls_mpi_cmp_int(v, 0) > 0 && mbedtls_mpi_cmp_mpi(v, max) < 0;
}

static int bits_ok(const struct pubkey *k, unsigned bits, unsigned max, struct err *e)
{
	if (bits >= BITS_MIN && bits <= max)
		return 0;
	return err_set(e, EKEYREJECTED, "%s key of %u bits; those from %u to %u are taken", pubkey_algorithm(k->algorithm),
		       bits, BITS_MIN, max);
}

/* weak ones come so far only in old revocations, which are believed */
static int digest_ok(const struct digest_kind *d, unsigned bits, struct err *e)
{
	if (d->weak || sha_len(d->sha) * 8 >= bits)
		return 0;
	return err_set(e, EKEYREJECTED, "%s is too short a digest for the key, which needs %u bits", digest_name(d->id), bits);
}

/* RFC 8017, 8.2.2: what must come out is made and compared; nothing of what came out is parsed */
static void encode_pkcs1(const struct digest_kind *d, const uint8_t *digest, uint8_t *em, size_t len)
{
	uint8_t info[19];
	size_t n = digest_info(d, info), tail = n + sha_len(d->sha);

	memset(em, 0xff, len);
	em[0] = 0;
	em[1] = 1;
	em[len - tail - 1] = 0;
	memcpy(em + len - tail, info, n);
	memcpy(em + len - tail + n, digest, tail - n);
}

static int verify_rsa(const struct pubkey *k, const struct digest_kind *d, const uint8_t *digest, struct reader sig, struct err *e)
{
	struct reader r = k->material;
	struct mpi n = read_mpi(&r), x = read_mpi(&r), s = read_mpi(&sig);
	uint8_t want[RSA_MAX / 8], got[RSA_MAX / 8];
	auto_nums struct nums v = nums_new();
	mbedtls_mpi *num = v.v;

	if (!complete(&r))
		return malformed(e);
	if (bits_ok(k, n.bits, RSA_MAX, e) < 0)
		return -1;
	if (x.bits < 2 || x.bits > EXPONENT_MAX || !(x.p[x.len - 1] & 1))
		return err_set(e, EKEYREJECTED, "RSA key with an unusable exponent");
	if (!complete(&sig) || s.bits > n.bits || load(&num[0], n) || load(&num[1], x) || load(&num[2], s) ||
	    !within(&num[2], &num[0]) || mbedtls_mpi_exp_mod(&num[3], &num[2], &num[1], &num[0], NULL) ||
	    mbedtls_mpi_write_binary(&num[3], got, n.len))
		return no_match(e);
	encode_pkcs1(d, digest, want, n.len);
	return memcmp(want, got, n.len) ? no_match(e) : 0;
}

/* FIPS 186-4, 4.7 */
static bool dsa_matches(mbedtls_mpi *v)
{
	const mbedtls_mpi *p = &v[0], *q = &v[1], *g = &v[2], *y = &v[3], *r = &v[4], *s = &v[5], *z = &v[6];
	mbedtls_mpi *w = &v[7], *a = &v[8], *b = &v[9], *t = &v[10];

	return within(r, q) && within(s, q) && within(g, p) && within(y, p) && !mbedtls_mpi_inv_mod(w, s, q) &&
	       !mbedtls_mpi_mul_mpi(t, z, w) && !mbedtls_mpi_mod_mpi(a, t, q) && !mbedtls_mpi_mul_mpi(t, r, w) &&
	       !mbedtls_mpi_mod_mpi(b, t, q) && !mbedtls_mpi_exp_mod(w, g, a, p, NULL) &&
	       !mbedtls_mpi_exp_mod(a, y, b, p, NULL) && !mbedtls_mpi_mul_mpi(t, w, a) && !mbedtls_mpi_mod_mpi(b, t, p) &&
	       !mbedtls_mpi_mod_mpi(a, b, q) && !mbedtls_mpi_cmp_mpi(a, r);
}

static int verify_dsa(const struct pubkey *k, const struct digest_kind *d, const uint8_t *digest, struct reader sig, struct err *e)
{
	struct reader m = k->material;
	struct mpi p = read_mpi(&m), q = read_mpi(&m), g = read_mpi(&m), y = read_mpi(&m);
	struct mpi r = read_mpi(&sig), s = read_mpi(&sig);
	size_t len = sha_len(d->sha);
	auto_nums struct nums n = nums_new();
	mbedtls_mpi *v = n.v;

	if (!complete(&m))
		return malformed(e);
	if (bits_ok(k, p.bits, DSA_MAX, e) < 0)
		return -1;
	if (q.bits < ORDER_MIN || q.bits > ORDER_MAX)
		return err_set(e, EKEYREJECTED, "DSA key with a subgroup of %u bits; those from %u to %u are taken", q.bits,
			       ORDER_MIN, ORDER_MAX);
	if (digest_ok(d, q.bits, e) < 0)
		return -1;
	bool match = complete(&sig) && g.bits <= p.bits && y.bits <= p.bits && r.bits <= q.bits && s.bits <= q.bits &&
		     !load(&v[0], p) && !load(&v[1], q) && !load(&v[2], g) && !load(&v[3], y) && !load(&v[4], r) &&
		     !load(&v[5], s) && !mbedtls_mpi_read_binary(&v[6], digest, len) &&
		     (len * 8 <= q.bits || !mbedtls_mpi_shift_r(&v[6], len * 8 - q.bits)) && dsa_matches(v);
	return match ? 0 : no_match(e);
}

static const struct curve *read_curve(struct reader *r, struct err *e)
{
	size_t len = r->left ? *r->p : 0;
	const uint8_t *oid = read_bytes(r, len + 1);

	for (size_t i = 0; oid && i < sizeof(curves) / sizeof(*curves); i++)
		if (curves[i].oid[0] == len && !memcmp(curves[i].oid, oid, len + 1))
			return &curves[i];
	(void)err_set(e, ENOTSUP, "curve that is not known here; P-256, P-384, P-521 and Ed25519 are");
	return NULL;
}

static bool ecdsa_matches(mbedtls_ecp_group *g, mbedtls_ecp_point *point, struct mpi q, const uint8_t *digest, size_t len,
			  struct mpi r, struct mpi s)
{
	auto_nums struct nums v = nums_new();

	return !mbedtls_ecp_point_read_binary(g, point, q.p, q.len) && !mbedtls_ecp_check_pubkey(g, point) &&
	       !load(&v.v[0], r) && !load(&v.v[1], s) && !mbedtls_ecdsa_verify(g, digest, len, point, &v.v[0], &v.v[1]);
}

static int verify_ecdsa(const struct pubkey *k, const struct digest_kind *d, const uint8_t *digest, struct reader sig, struct err *e)
{
	struct reader m = k->material;
	const struct curve *c = read_curve(&m, e);
	struct mpi q = read_mpi(&m), r = read_mpi(&sig), s = read_mpi(&sig);
	mbedtls_ecp_group g;
	mbedtls_ecp_point point;
	bool match = false;

	if (!c)
		return -1;
	if (!complete(&m))
		return malformed(e);
	if (!c->group)
		return err_set(e, ENOTSUP, "curve %s is not supported; P-256, P-384, P-521 and Ed25519 are", c->name);
	mbedtls_ecp_group_init(&g);
	mbedtls_ecp_point_init(&point);
	int bad = mbedtls_ecp_group_load(&g, c->group) ? err_set(e, ENOMEM, "out of memory") :
		  digest_ok(d, g.nbits > 512 ? 512 : (unsigned)g.nbits, e); /* RFC 9580, 5.2.3.2 */
	if (!bad && complete(&sig) && r.bits <= g.nbits && s.bits <= g.nbits)
		match = ecdsa_matches(&g, &point, q, digest, sha_len(d->sha), r, s);
	mbedtls_ecp_point_free(&point);
	mbedtls_ecp_group_free(&g);
	return bad ? -1 : match ? 0 : no_match(e);
}

static int verify_ed25519(const uint8_t key[32], const struct digest_kind *d, const uint8_t *digest, const uint8_t sig[64],
			  struct err *e)
{
	if (digest_ok(d, 256, e) < 0)
		return -1;
	return crypto_sign_ed25519_verify_detached(sig, digest, sha_len(d->sha), key) ? no_match(e) : 0;
}

/* RFC 9580, 5.2.3.3 and 5.5.5.5: the curve by name, the point behind 0x40, R and S as if they were numbers */
static int verify_eddsa(const struct pubkey *k, const struct digest_kind *d, const uint8_t *digest, struct reader sig, struct err *e)
{
	struct reader m = k->material;
	const struct curve *c = read_curve(&m, e);
	struct mpi q = read_mpi(&m), r = read_mpi(&sig), s = read_mpi(&sig);
	uint8_t rs[64] = { 0 };

	if (!c)
		return -1;
	if (strcmp(c->name, "Ed25519") != 0 || k->version != 4)
		return err_set(e, ENOTSUP, "EdDSA key of version %u on curve %s; only Ed25519 in version 4 is taken", k->version,
			       c->name);
	if (!complete(&m) || q.len != 33 || q.p[0] != 0x40)
		return malformed(e);
	if (!complete(&sig) || r.len > 32 || s.len > 32)
		return no_match(e);
	memcpy(rs + 32 - r.len, r.p, r.len);
	memcpy(rs + 64 - s.len, s.p, s.len);
	return verify_ed25519(q.p + 1, d, digest, rs, e);
}

int pubkey_verify(const struct pubkey *k, const struct digest_kind *d, const uint8_t *digest, struct reader sig, struct err *e)
{
	switch (k->algorithm) {
	case RSA:
	case RSA_SIGN:
		return verify_rsa(k, d, digest, sig, e);
	case DSA:
		return verify_dsa(k, d, digest, sig, e);
	case ECDSA:
		return verify_ecdsa(k, d, digest, sig, e);
	case EDDSA:
		return verify_eddsa(k, d, digest, sig, e);
	case ED25519:
		if (k->material.left != 32)
			return malformed(e);
		return sig.left != 64 ? no_match(e) : verify_ed25519(k->material.p, d, digest, sig.p, e);
	default:
		return err_set(e, ENOTSUP, "%s (algorithm %u) is not supported for signatures; RSA, DSA, ECDSA and Ed25519 are",
			       pubkey_algorithm(k->algorithm), k->algorithm);
	}
}
