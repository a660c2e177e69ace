/* SPDX-License-Identifier: Apache-2.0
 * fuzz discovery - any bytes as a page: what comes out are URLs, and only of tags that are for this image
 */
#include <stdlib.h>
#include <string.h>

#include "core/fetch/discovery.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool good)
{
	if (!good)
		abort();
}

static void check_url(const char *s)
{
	must(strstr(s, "://") != NULL);
	for (; *s; s++)
		must((unsigned char)*s > ' ' && *s != 0x7f);
}

static void label(struct appc_pairs *l, const char *name, const char *value)
{
	struct err e;

	must(appc_pairs_set(l, name, value, &e) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct appc_pairs labels = { 0 };
	struct discovery d = { 0 };
	struct err e;

	/* the first byte says which labels there are */
	if (size && data[0] & 1)
		label(&labels, "version", "1.0.0");
	if (size && data[0] & 2)
		label(&labels, "os", "{arch} ?#\n");
	label(&labels, "arch", "amd64");
	must(discovery_page((const char *)data, size, "example.com/app", &labels, &d, &e) == 0);
	for (size_t i = 0; i < d.n_images; i++) {
		check_url(d.images[i].aci);
		check_url(d.images[i].asc);
		must(strstr(d.images[i].aci, "aci") && strstr(d.images[i].asc, "aci.asc"));
		must(!strpbrk(d.images[i].aci, "{}"));
	}
	for (size_t i = 0; i < d.keys.n; i++)
		check_url(d.keys.v[i]);
	discovery_free(&d);
	appc_pairs_clear(&labels);
	return 0;
}
