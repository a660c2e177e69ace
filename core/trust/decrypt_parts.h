/* SPDX-License-Identifier: Apache-2.0
 * decrypt_parts - what the files of decrypt share
 */
#pragma once

#include <mbedtls/aes.h>
#include <mbedtls/gcm.h>
#include <mbedtls/md.h>

#include "core/trust/decrypt.h"

/* ---- decrypt_packet.c: packets as they stream by ---- */

/* the bytes of a source that are at hand */
struct flow {
	struct source *from;
	const uint8_t *p;
	size_t         len;
	bool           ended;
};

/** flow_fill() - 1: there are bytes at hand; 0: the source has ended; -1 */
int flow_fill(struct flow *f, struct err *e);

enum packet_tag {
	TAG_PKESK = 1, TAG_SIGNATURE = 2, TAG_SKESK = 3, TAG_ONE_PASS = 4, TAG_COMPRESSED = 8, TAG_UNPROTECTED = 9,
	TAG_MARKER = 10, TAG_LITERAL = 11, TAG_SEIPD = 18, TAG_AEAD = 20, TAG_PADDING = 21,
};

/* one of them, its body in any number of parts */
struct packet {
	struct flow *f;
	unsigned     tag;
	uint64_t     left;    /* of this part */
	bool         partial; /* another part follows */
	bool         to_end;  /* no length: up to the end of what holds it */
};

/** message_packet() - the header of the next packet; 1, 0 at the end, -1. The body of the last one must be used up. */
int message_packet(struct packet *k, struct flow *f, struct err *e);

/** packet_lend() - some of the body; 1, 0 at its end, -1 */
int packet_lend(struct packet *k, const uint8_t **p, size_t *len, struct err *e);

/** packet_some() - the next @room bytes of the body; fewer before its end; -1 */
ssize_t packet_some(struct packet *k, uint8_t *out, size_t room, struct err *e);

/** packet_bytes() - exactly @n bytes of the body, or EBADMSG */
int packet_bytes(struct packet *k, uint8_t *out, size_t n, struct err *e);

int packet_skip(struct packet *k, struct err *e); /* the rest of the body */

/* ---- decrypt_armor.c ---- */

#define DEARMOR_BLOCK (32u << 10)

struct dearmor {
	struct source base;
	struct flow   in;
	int           state;
	uint32_t      bits;
	unsigned      n_bits;    /* digits of a group of four */
	bool          colon, text; /* the line of the header has one; is not empty */
	char          tail[48];
	size_t        n_tail;
	uint8_t       out[DEARMOR_BLOCK];
};

bool dearmor_wanted(const uint8_t *p, size_t len);

/** dearmor_init() - the bytes of @in's one armored message, which nothing may follow; its source is borrowed */
void dearmor_init(struct dearmor *a, const struct flow *in);

/* ---- decrypt_aead.c: OCB (RFC 7253), EAX, GCM ---- */

#define AES_BLOCK 16u

struct aead {
	unsigned            mode; /* RFC 9580, 9.6: 1 EAX, 2 OCB, 3 GCM */
	mbedtls_aes_context enc, dec;
	mbedtls_gcm_context gcm;
	uint8_t             l[60][AES_BLOCK]; /* the cipher of zeros, doubled n times */
	uint64_t            n; /* blocks so far */
	uint8_t             offset[AES_BLOCK], sum[AES_BLOCK], ad[AES_BLOCK];
	size_t              n_sum; /* bytes in a block under way */
};

size_t aead_nonce_len(unsigned mode); /* 0: no such mode */
void aead_init(struct aead *a, unsigned mode, const uint8_t *key, size_t key_len);
void aead_free(struct aead *a);
void aead_start(struct aead *a, const uint8_t *nonce, const uint8_t *ad, size_t ad_len);
void aead_decrypt(struct aead *a, uint8_t *p, size_t n); /* in place; @n a multiple of 16, but for the last time */
bool aead_end(struct aead *a, const uint8_t tag[AES_BLOCK]); /* whether that is the tag */

/** cfb_decrypt() - in place; @last is the cipher text before @p; @n a multiple of 16, but for the last time */
void cfb_decrypt(mbedtls_aes_context *enc, uint8_t last[AES_BLOCK], uint8_t *p, size_t n);

/* ---- decrypt_key.c: session keys ---- */

#define KEYS_MAX     16u
#define S2K_MAX      (1ULL << 30) /* bytes hashed for one message; one key may ask for 130 MB */

struct session {
	unsigned version; /* of the packet that it comes from */
	unsigned cipher;  /* RFC 9580, 9.3 */
	uint8_t  key[32];
};

struct keys {
	const uint8_t *passphrase;
	size_t         len;
	uint64_t       s2k_left;        /* bytes that may be hashed */
	struct session v[KEYS_MAX];     /* those that may be it */
	size_t         n, n_tried, n_public;
	unsigned       other;           /* a cipher that is not AES, whose key one might hold; 0: none */
	struct err     why;             /* why one was not tried; code 0: all were */
};

size_t aes_key_len(unsigned cipher); /* 0: not AES */
const char *cipher_name(unsigned cipher);

/** keys_add() - a packet of tag 1 or 3; -1 only when it could not be read */
int keys_add(struct keys *k, struct packet *p, struct err *e);
int keys_none(const struct keys *k, struct err *e); /* says why there is none */

/** hkdf_key() - RFC 9580, 5.3.2, 5.13.2: @info has four or five bytes */
void hkdf_key(const uint8_t *salt, size_t salt_len, const uint8_t *key, size_t key_len, const uint8_t *info,
	      size_t info_len, uint8_t *out, size_t out_len);

/* ---- decrypt_data.c: encrypted data ---- */

#define UNSEAL_BLOCK (32u << 10)
#define UNSEAL_TAIL  32u /* what proves the integrity at its end: at most two tags of AEAD */

struct unseal {
	struct source  base;
	struct packet *body;
	const struct keys *keys;
	mbedtls_md_context_t sha1;
	mbedtls_aes_context aes;
	struct aead    aead;
	bool           is_aead, libre;   /* not MDC; LibrePGP's packet */
	bool           ended, done, started;
	bool           unproven;         /* nothing so far says that the key is the right one */
	uint8_t        last[AES_BLOCK];  /* of CFB */
	uint8_t        nonce[AES_BLOCK], head[5 + 2 * 8];
	size_t         nonce_len, skip;
	uint64_t       chunk, chunk_left, index, total;
	size_t         at, len;          /* of buf: what is left in it */
	uint8_t        buf[UNSEAL_BLOCK + UNSEAL_TAIL];
};

/** unseal_init() - @body: of tag 18 or 20, borrowed like @keys; one of these has to fit */
int unseal_init(struct unseal *u, struct packet *body, const struct keys *keys, struct err *e);
void unseal_free(struct unseal *u);

/** decrypt_open_within() - decrypt_open(), but hashes at most @s2k_max bytes: for the fuzzer */
struct source *decrypt_open_within(struct source *in, const char *passphrase, size_t len, uint64_t s2k_max, struct err *e);
