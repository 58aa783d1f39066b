/* SPDX-License-Identifier: Apache-2.0
 *
 * Sample rate of the microphone to that of the model: a polyphase filter in integers.
 *
 *     static asc_resample_t resampler;     // asc_resample_init(&resampler) once
 *     int16_t pcm[ASC_RESAMPLE_OUTPUTS(ASC_AUDIO_BLOCK)];
 *     size_t count = asc_resample(&resampler, block, ASC_AUDIO_BLOCK, pcm);
 */
#ifndef ASC_RESAMPLE_H
#define ASC_RESAMPLE_H

#include <stddef.h>
#include <stdint.h>

#include "asc_resample_tables.h"

#ifdef __cplusplus
extern "C" {
#endif

#define ASC_RESAMPLE_CHUNK 64u /* samples filtered between two moves of the history */

/* The most samples that come out for `count` samples. */
#define ASC_RESAMPLE_OUTPUTS(count) \
    (((count) * ASC_RESAMPLE_UP + ASC_RESAMPLE_DOWN - 1u) / ASC_RESAMPLE_DOWN)

typedef struct {
    int16_t samples[ASC_RESAMPLE_TAPS - 1u + ASC_RESAMPLE_CHUNK];
    uint32_t filled; /* samples there */
    uint32_t start;  /* first of those that the next output needs */
    uint32_t phase;  /* of the next output, in parts of ASC_RESAMPLE_UP */
} asc_resample_t;

/* Starts a stream with silence before it.
 *
 * resampler: memory for the state, which the caller owns. */
void asc_resample_init(asc_resample_t *resampler);

/* Takes samples at the microphone's rate. Returns how many samples it wrote at the model's. Chunks
 * do not change what comes out.
 *
 * resampler: prepared state.
 * in: samples, which are copied.
 * count: number of samples, 0 or more.
 * out: room for ASC_RESAMPLE_OUTPUTS(count) samples; it does not overlap `in`. */
size_t asc_resample(asc_resample_t *resampler, const int16_t *in, size_t count, int16_t *out);

#ifdef __cplusplus
}
#endif

#endif
