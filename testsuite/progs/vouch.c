/* SPDX-License-Identifier: Apache-2.0
 * vouch - whose signature of a file counts for an image of a name: vouch CONFIG NAME SIGNATURE FILE [TIME]
 *
 * CONFIG holds the configuration directories system, local and user. Prints what is known before the file was read
 * ("early: ..."), and after ("good: FINGERPRINT PREFIX", or why not). With FILE "still", whether SIGNATURE, then a
 * fingerprint, is trusted still. Exit status 1: it does not count.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/base/fd.h"
#include "core/trust/trust.h"

static void warn(void *ctx, const char *text)
{
	(void)ctx;
	printf("warning: %s\n", text);
}

static int say(int r, const char *what, const struct err *e)
{
	printf("%s: %s%s\n", what, r < 0 ? e->msg : "good", r < 0 && e->code == ENOKEY ? " (ENOKEY)" : "");
	return r < 0;
}

static int vouch(const struct keystore_dirs *d, const char *name, struct sigcheck *c, const char *file, int64_t now_s)
{
	static char block[777]; /* no multiple of what any digest takes at once */
	char *fingerprint, *prefix;
	struct err e;
	FILE *f = fopen(file, "r");
	size_t n;

	say(trust_early(d, c, NULL, &e), "unnamed", &e);
	say(trust_early(d, c, name, &e), "early", &e);
	if (!f)
		return 2;
	while ((n = fread(block, 1, sizeof(block), f)))
		sigcheck_feed(c, block, n);
	fclose(f);
	if (trust_vouch(d, c, name, now_s, &fingerprint, &prefix, &e) < 0)
		return say(-1, "bad", &e);
	printf("good: %s \"%s\"\n", fingerprint, prefix);
	free(fingerprint);
	free(prefix);
	return 0;
}

int main(int argc, char **argv)
{
	struct keystore_dirs d = { .warn = warn };
	char *dirs[3], *text;
	static const char *const names[] = { "system", "local", "user" };
	struct err e;
	size_t len;

	for (int i = 0; i < 3; i++)
		if (argc < 5 || asprintf(&dirs[i], "%s/%s", argv[1], names[i]) < 0)
			return 2;
	d.system_dir = dirs[0];
	d.local_dir = dirs[1];
	d.user_dir = dirs[2];
	d.key_at = getenv("KEY_AT");
	if (!strcmp(argv[4], "still"))
		return say(trust_still(&d, argv[2], argv[3], &e), "still", &e);
	if (fd_read_file(AT_FDCWD, argv[3], 1 << 20, &text, &len, &e) < 0)
		return say(-1, "signature", &e) + 1;
	struct sigcheck *c = sigcheck_new(text, len, &e);
	if (!c)
		return say(-1, "signature", &e) + 1;
	int r = vouch(&d, argv[2], c, argv[4], argc > 5 ? strtoll(argv[5], NULL, 10) : time(NULL));
	sigcheck_free(c);
	free(text);
	for (int i = 0; i < 3; i++)
		free(dirs[i]);
	return r;
}
