/* SPDX-License-Identifier: Apache-2.0
 * images_trust - see images_trust.h
 */
#include "applets/rkt/images_trust.h"

#include <errno.h>
#include <string.h>

#include "applets/rkt/globals.h"
#include "core/base/defence.h"

int images_trust(struct store *st, const struct rkt_globals *g, const struct image_id *id, struct err *e)
{
	struct image_info i;

	if (store_info(st, id, &i, e) < 0)
		return -1;
	bool insecure = !strcmp(i.verified_by, "insecure"), devices = i.devices;
	image_info_free(&i);
	if (insecure && !(g->insecure & INSECURE_IMAGE) && DEFENCE("trust-at-start"))
		return err_set(e, EACCES, "image %.19s: its signature was not verified when it was fetched; "
			       "--insecure-options=image uses it all the same", id->s);
	if (devices && !(g->insecure & INSECURE_DEVICES) && DEFENCE("devices"))
		return err_set(e, EACCES, "image %.19s: has device nodes; --insecure-options=devices uses it all the same",
			       id->s);
	return 0;
}
