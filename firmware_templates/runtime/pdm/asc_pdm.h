/* SPDX-License-Identifier: Apache-2.0
 *
 * Bits of a PDM microphone to 16-bit samples, in integers: a CIC filter, two half-band filters and
 * one that corrects the pass band (asc_tiny/pdm/design.py). For chips without a peripheral that
 * does it.
 *
 *     static asc_pdm_t pdm;                // asc_pdm_init(&pdm) once
 *     int16_t pcm[ASC_PDM_OUTPUTS(DMA_BYTES)];
 *     size_t count = asc_pdm(&pdm, dma_buffer, DMA_BYTES, pcm);
 */
#ifndef ASC_PDM_H
#define ASC_PDM_H

#include <stddef.h>
#include <stdint.h>

#include "asc_pdm_tables.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The most samples that come out for `count` bytes. */
#define ASC_PDM_OUTPUTS(count) (((count) + ASC_PDM_BYTES - 1u) / ASC_PDM_BYTES)

/* The newest samples of a half-band filter, each of them twice: so the last ones are always one
 * behind the other. */
typedef struct {
    int32_t samples[2u * (4u * ASC_PDM_FIRST)];
    uint32_t next;
} asc_pdm_first_t;

typedef struct {
    int32_t samples[2u * (4u * ASC_PDM_SECOND)];
    uint32_t next;
} asc_pdm_second_t;

typedef struct {
    uint32_t integrators[4];
    uint32_t combs[4];
    uint32_t bytes; /* since the CIC filter's last sample */
    asc_pdm_first_t first;
    asc_pdm_second_t second;
    int32_t last[5]; /* samples of the filter that corrects the pass band, the newest last */
} asc_pdm_t;

/* Starts a stream with silence before it.
 *
 * pdm: memory for the state, which the caller owns. */
void asc_pdm_init(asc_pdm_t *pdm);

/* Takes bits of the microphone, a 1 for a positive pulse. Returns how many samples it wrote. Chunks
 * do not change what comes out.
 *
 * pdm: prepared state.
 * bits: bytes as DMA wrote them, in the order of ASC_PDM_MSB_FIRST; they begin at an address and
 *     have a number that are multiples of that order's words.
 * count: number of bytes, 0 or more.
 * out: room for ASC_PDM_OUTPUTS(count) samples; it does not overlap `bits`. */
size_t asc_pdm(asc_pdm_t *pdm, const uint8_t *bits, size_t count, int16_t *out);

#ifdef __cplusplus
}
#endif

#endif
