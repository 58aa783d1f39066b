/* SPDX-License-Identifier: Apache-2.0
 *
 * Fixed-point log-mel front end: samples in, int8 feature columns out.
 *
 * The stream is cut into clips of ASC_FRONTEND_CLIP_SAMPLES. Each clip is framed as in training
 * (frames centred on multiples of the hop, zeros beyond the clip's ends) and gives
 * ASC_FRONTEND_COLUMNS columns. A continuous front end knows no clips: its columns go on as in
 * one clip without end. Samples can be pushed in chunks of any size.
 */
#ifndef ASC_FRONTEND_H
#define ASC_FRONTEND_H

#include <stddef.h>
#include <stdint.h>

#include "asc_frontend_tables.h"
#include "asc_spectrum.h"

#if ASC_FRONTEND_TABLES_VERSION != 2
#error "asc_frontend_tables.h is of another version than this file: generate both anew"
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* Four int16 values of the past, the oldest in the lowest bits. */
typedef uint64_t asc_frontend_past_t;

/* What the deltas of a mel band need: log-mel codes with a fraction from the centre of the next
 * column on, and their first deltas from two frames before it on. */
typedef struct {
    asc_frontend_past_t log_mel;
    asc_frontend_past_t delta;
} asc_frontend_band_t;

typedef struct {
    asc_spectrum_t spectrum;
    int16_t log_mel[ASC_FRONTEND_QUANTIZATIONS][ASC_FRONTEND_BANDS]; /* of the latest frame */
#if ASC_FRONTEND_DELTAS
    asc_frontend_band_t bands[ASC_FRONTEND_QUANTIZATIONS][ASC_FRONTEND_BANDS];
#endif
#ifdef ASC_FRONTEND_PCEN
    uint32_t smoothed[ASC_FRONTEND_BANDS];        /* energies of the past, */
    int8_t smoothed_exponent[ASC_FRONTEND_BANDS]; /* 0 and 0: none yet */
#endif
    union {
        asc_sample_t samples[ASC_SPECTRUM_SAMPLES];
        asc_sample_pair_t pairs[ASC_SPECTRUM_SAMPLES / 2u];
    } frame;         /* that is being filled */
    uint32_t filled; /* samples in it */
    uint32_t kept;   /* bits of those that the frame before had, too; 0: not known */
#if ASC_FRONTEND_CONTINUOUS
    uint32_t frames;  /* computed in a row, as far as a column needs them */
    uint32_t skipped; /* frames that are still to be left out */
#else
    uint32_t frames;   /* computed of this clip */
    uint32_t received; /* samples of this clip */
#endif
} asc_frontend_t;

/* Starts a clip or a stream; to be called once before the first push.
 *
 * frontend: memory for the state, which the caller owns. */
void asc_frontend_init(asc_frontend_t *frontend);

/* Takes samples until a frame is complete. Returns the number of samples taken, at most `count`.
 *
 * frontend: prepared state, of which all columns were popped.
 * pcm: samples, full scale in the full range of their type; they are copied.
 * count: number of samples, 0 or more. */
size_t asc_frontend_push(asc_frontend_t *frontend, const asc_sample_t *pcm, size_t count);

/* Computes the next column. Returns 1, or 0 if samples are missing. Pop until it returns 0 before
 * the next push: the end of a clip gives several columns.
 *
 * frontend: prepared state.
 * features: where the column goes: channel c of mel band m to features[m * stride + c].
 * stride: int8 values from a mel band to the next, at least ASC_FRONTEND_CHANNELS. */
int asc_frontend_pop(asc_frontend_t *frontend, int8_t *features, size_t stride);

#if ASC_FRONTEND_CONTINUOUS
/* Leaves out columns, to be called after one. Frames that no other column needs are not computed,
 * but for their energies where these are smoothed (ASC_FRONTEND_PCEN).
 *
 * frontend: prepared state.
 * columns: number of the next columns to leave out, 0 or more. */
void asc_frontend_skip(asc_frontend_t *frontend, uint32_t columns);
#endif

#ifdef __cplusplus
}
#endif

#endif
