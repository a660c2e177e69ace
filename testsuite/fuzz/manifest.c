/* SPDX-License-Identifier: Apache-2.0
 * manifest - fuzzer: a manifest that is accepted is written to what is accepted and holds the same;
 * a refused one leaves nothing behind and says why
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/appc/isolator.h"
#include "core/appc/manifest.h"
#include "testsuite/unit/manifest_equal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool good)
{
	if (!good)
		abort();
}

static void check_findings(const struct findings *f)
{
	for (size_t i = 0; i < f->n; i++) {
		const struct finding *v = &f->v[i];
		must(*v->rule && *v->section && *v->text);
		for (const char *p = v->where; *p; p++)
			must((unsigned char)*p >= 0x20);
		for (const char *p = v->text; *p; p++)
			must((unsigned char)*p >= 0x20);
	}
}

static void check_app(const struct appc_app *app)
{
	struct appc_limits limits;
	struct err e;

	if (!app)
		return;
	must(appc_limits_read(&app->isolators, &limits, &e) == 0);
	struct appc_app *copy = appc_app_copy(app, &e);
	must(copy && schema_equal(&app_schema, app, copy));
	appc_app_free(copy);
}

static void image(const char *text, size_t size)
{
	struct image_manifest a, b;
	struct findings f = { 0 };
	struct buf out = { 0 };

	if (image_manifest_parse(text, size, &a, &f)) {
		check_app(a.app);
		must(image_manifest_check(&a, &f));
		image_manifest_print(&a, size & 1, &out);
		must(image_manifest_parse(out.data, out.len, &b, &f) && schema_equal(&image_schema, &a, &b));
		image_manifest_free(&b);
		image_manifest_free(&a);
	} else {
		must(f.errors > 0);
	}
	check_findings(&f);
	findings_free(&f);
	buf_free(&out);
}

static void pod(const char *text, size_t size)
{
	struct pod_manifest a, b;
	struct findings f = { 0 };
	struct buf out = { 0 };

	if (pod_manifest_parse(text, size, &a, &f)) {
		for (size_t i = 0; i < a.apps.n; i++)
			check_app(a.apps.v[i].app);
		must(pod_manifest_check(&a, &f));
		pod_manifest_print(&a, size & 1, &out);
		must(pod_manifest_parse(out.data, out.len, &b, &f) && schema_equal(&pod_schema, &a, &b));
		pod_manifest_free(&b);
		pod_manifest_free(&a);
	} else {
		must(f.errors > 0);
	}
	check_findings(&f);
	findings_free(&f);
	buf_free(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	image((const char *)data, size);
	pod((const char *)data, size);
	return 0;
}
