/* SPDX-License-Identifier: Apache-2.0
 *
 * Fixed-point log-mel front end: int16 samples in, int8 feature columns out.
 *
 * The stream is cut into clips of ASC_FRONTEND_CLIP_SAMPLES. Each clip is framed as in training
 * (frames centred on multiples of the hop, zeros beyond the clip's ends) and gives
 * ASC_FRONTEND_COLUMNS columns. Samples can be pushed in chunks of any size.
 */
#ifndef ASC_FRONTEND_H
#define ASC_FRONTEND_H

#include <stddef.h>
#include <stdint.h>

#include "asc_frontend_tables.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
    int32_t re;
    int32_t im;
} asc_frontend_complex_t;

typedef struct {
    union {
        asc_frontend_complex_t spectrum[ASC_FRONTEND_N_FFT / 2];
        uint64_t power[ASC_FRONTEND_N_FFT / 2];
    } work;
    int32_t history[ASC_FRONTEND_HISTORY][ASC_FRONTEND_N_MELS]; /* log2 of band power, Q16 */
    int16_t samples[ASC_FRONTEND_N_FFT];                        /* the frame being filled */
    uint32_t filled;                                            /* samples in it */
    uint32_t received;                                          /* samples of this clip */
    uint32_t frames;                                            /* frames computed of this clip */
    uint32_t ready;                                             /* a column waits to be popped */
} asc_frontend_t;

/* Starts a clip; to be called once before the first push. */
void asc_frontend_init(asc_frontend_t *frontend);

/* Takes samples until a column is ready, at most `count`; returns the number taken. */
size_t asc_frontend_push(asc_frontend_t *frontend, const int16_t *pcm, size_t count);

/* Writes the next column if there is one and returns 1, else 0. Channel c of mel band m goes to
 * features[m * stride + c]. Pop until it returns 0 before the next push: the end of a clip gives
 * several columns. */
int asc_frontend_pop(asc_frontend_t *frontend, int8_t *features, size_t stride);

#ifdef __cplusplus
}
#endif

#endif
