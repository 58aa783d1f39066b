/* SPDX-License-Identifier: Apache-2.0
 *
 * What asc_frontend_steps.h leaves to cores with Helium, Armv8.1-M's vector extension.
 */
#ifndef ASC_FRONTEND_MVE_H
#define ASC_FRONTEND_MVE_H

#include "asc_fixed.h"
#include "asc_frontend.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Returns the left shift that fills the type of a sample, 0 to ASC_FRONTEND_MAX_SHIFT.
 *
 * samples: ASC_SPECTRUM_SAMPLES samples of a frame. */
uint32_t asc_mve_headroom(const asc_sample_t *samples);

/* Copies samples; the ranges may overlap where `to` lies before `from`.
 *
 * to: where they go.
 * from: where they are.
 * count: number of samples, 0 or more. */
void asc_mve_copy(asc_sample_t *to, const asc_sample_t *from, size_t count);

/* Computes frontend->log_mel from frontend->spectrum.power.
 *
 * frontend: state whose power is computed.
 * shift: bits by which the samples were shifted left before. */
void asc_mve_log_mel(asc_frontend_t *frontend, uint32_t shift);

/* Moves the past of all mel bands on by frontend->log_mel and writes their codes.
 *
 * frontend: state whose log_mel is computed.
 * q: number of the quantisation, below ASC_FRONTEND_QUANTIZATIONS.
 * codes: where the codes go: the first channel of band m to codes[m * stride], its deltas behind
 *     it.
 * stride: int8 values from a mel band to the next. */
void asc_mve_write_codes(asc_frontend_t *frontend, uint32_t q, int8_t *codes, size_t stride);

#ifdef __cplusplus
}
#endif

#endif
