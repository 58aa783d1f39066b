/* SPDX-License-Identifier: Apache-2.0
 *
 * Power spectrum of a frame of int16 samples: Hann window and real transform in integers.
 */
#ifndef ASC_SPECTRUM_H
#define ASC_SPECTRUM_H

#include <stdint.h>

#include "asc_frontend_tables.h"

#if ASC_FRONTEND_TABLES_VERSION != 1
#error "asc_frontend_tables.h is of another version than this file: generate both anew"
#endif

#ifdef __cplusplus
extern "C" {
#endif

#define ASC_SPECTRUM_LENGTH (ASC_FRONTEND_N_FFT / 2u) /* of the complex transform */

typedef struct {
    int32_t re;
    int32_t im;
} asc_complex_t;

typedef union {
    asc_complex_t z[ASC_SPECTRUM_LENGTH];
    uint64_t power[ASC_SPECTRUM_LENGTH];
} asc_spectrum_t;

/* Writes the power of bins 0 to ASC_SPECTRUM_LENGTH - 1 to spectrum->power.
 *
 * words: ASC_FRONTEND_N_FFT samples, two to a word, the first one in the low half.
 * shift: each sample is shifted left by this and must still fit int16. */
void asc_spectrum_power(asc_spectrum_t *spectrum, const uint32_t *words, uint32_t shift);

#ifdef __cplusplus
}
#endif

#endif
