/* SPDX-License-Identifier: Apache-2.0
 * zstd-without - in place of what libzstd has for options that are never set here, and has no macro to leave out
 *
 * That is matches far away (zstd_ldm.c) and blocks of a wanted size (zstd_compress_superblock.c): 10 KB. While these
 * options are off, only the first three functions are called, and had nothing to do before either.
 */
#include "common/error_private.h"
#include "compress/zstd_compress_superblock.h"
#include "compress/zstd_ldm.h"

size_t ZSTD_ldm_getTableSize(ldmParams_t params)
{
	return 0;
}

void ZSTD_ldm_skipSequences(RawSeqStore_t *seqs, size_t n, U32 min)
{
}

void ZSTD_ldm_skipRawSeqStoreBytes(RawSeqStore_t *seqs, size_t n)
{
}

/* from here on: never called */

size_t ZSTD_ldm_getMaxNbSeq(ldmParams_t params, size_t chunk)
{
	return 0;
}

void ZSTD_ldm_adjustParameters(ldmParams_t *params, const ZSTD_compressionParameters *c)
{
}

void ZSTD_ldm_fillHashTable(ldmState_t *state, const BYTE *p, const BYTE *end, const ldmParams_t *params)
{
}

size_t ZSTD_ldm_generateSequences(ldmState_t *state, RawSeqStore_t *seqs, const ldmParams_t *params, const void *src,
				  size_t n)
{
	return ERROR(parameter_unsupported);
}

size_t ZSTD_ldm_blockCompress(RawSeqStore_t *raw, ZSTD_MatchState_t *ms, SeqStore_t *seqs, U32 rep[ZSTD_REP_NUM],
			      ZSTD_ParamSwitch_e rows, const void *src, size_t n)
{
	return ERROR(parameter_unsupported);
}

size_t ZSTD_compressSuperBlock(ZSTD_CCtx *z, void *dst, size_t room, const void *src, size_t n, unsigned last)
{
	return ERROR(parameter_unsupported);
}
