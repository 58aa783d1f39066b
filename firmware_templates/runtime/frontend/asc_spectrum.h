/* SPDX-License-Identifier: Apache-2.0
 *
 * Power spectrum of a frame of samples: Hann window and real transform in integers.
 */
#ifndef ASC_SPECTRUM_H
#define ASC_SPECTRUM_H

#include <stdint.h>

#include "asc_frontend_tables.h"

#if ASC_FRONTEND_TABLES_VERSION != 2
#error "asc_frontend_tables.h is of another version than this file: generate both anew"
#endif

#ifdef __cplusplus
extern "C" {
#endif

#define ASC_SPECTRUM_LENGTH (ASC_FRONTEND_N_FFT / 2u) /* of the complex transform */

/* Samples in a frame, and in the memory that holds one: whole vectors, zeros behind the frame. */
#ifdef ASC_FRONTEND_WIN_LENGTH
#define ASC_SPECTRUM_SHORT_WINDOW 1
#define ASC_SPECTRUM_FRAME ASC_FRONTEND_WIN_LENGTH
#define ASC_SPECTRUM_SAMPLES ASC_FRONTEND_WINDOWS
#else
#define ASC_SPECTRUM_SHORT_WINDOW 0
#define ASC_SPECTRUM_FRAME ASC_FRONTEND_N_FFT
#define ASC_SPECTRUM_SAMPLES ASC_FRONTEND_N_FFT
#endif

/* The exponent of an amplitude in what mel bands sum, and the fraction bits of that. */
#ifdef ASC_FRONTEND_MAGNITUDE
#define ASC_SPECTRUM_DEGREE 1
#define ASC_SPECTRUM_FRACTION_BITS 24
#else
#define ASC_SPECTRUM_DEGREE 2
#define ASC_SPECTRUM_FRACTION_BITS 0
#endif

/* log2 of the factor from physical bands to integer ones, in a frame that was shifted left */
#define ASC_SPECTRUM_SCALE_LOG2(shift)                                    \
    (ASC_SPECTRUM_DEGREE * (ASC_FRONTEND_SCALE_LOG2 + (int32_t)(shift)) + \
     ASC_SPECTRUM_FRACTION_BITS)

typedef struct {
    int32_t re;
    int32_t im;
} asc_complex_t;

#if ASC_FRONTEND_SAMPLE_BITS == 16
typedef int16_t asc_sample_t;
typedef uint32_t asc_sample_pair_t; /* the first one in the low half */
#else
typedef int32_t asc_sample_t; /* of 24 bits, the upper ones; full scale is the full range */
typedef asc_complex_t asc_sample_pair_t;
#endif

typedef union {
    asc_complex_t z[ASC_SPECTRUM_LENGTH];
    uint64_t power[ASC_SPECTRUM_LENGTH];
} asc_spectrum_t;

/* Computes the power of bins 0 to ASC_SPECTRUM_LENGTH - 1.
 *
 * spectrum: where the powers go (spectrum->power), and the memory in which they are computed; the
 *     caller owns it.
 * pairs: ASC_SPECTRUM_SAMPLES samples, two in each pair, which stay as they are.
 * shift: bits by which each sample is shifted left, 0 or more; it must still fit its type. */
void asc_spectrum_power(asc_spectrum_t *spectrum, const asc_sample_pair_t *pairs, uint32_t shift);

#ifdef __cplusplus
}
#endif

#endif
