/* SPDX-License-Identifier: Apache-2.0
 *
 * What asc_frontend.c leaves to cores with Helium, Armv8.1-M's vector extension.
 */
#ifndef ASC_FRONTEND_MVE_H
#define ASC_FRONTEND_MVE_H

#include "asc_fixed.h"
#include "asc_frontend.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The left shift that fills the type of a sample, at most ASC_FRONTEND_MAX_SHIFT. */
uint32_t asc_mve_headroom(const asc_sample_t *samples);

/* Copies samples; the ranges may overlap where `to` lies before `from`. */
void asc_mve_copy(asc_sample_t *to, const asc_sample_t *from, size_t count);

/* From frontend->spectrum.power of samples shifted left by `shift` to frontend->log_mel. */
void asc_mve_log_mel(asc_frontend_t *frontend, uint32_t shift);

/* Moves quantisation q of frontend->bands on by frontend->log_mel; the first channel of band m goes
 * to codes[m * stride], its deltas behind it. */
void asc_mve_write_codes(asc_frontend_t *frontend, uint32_t q, int8_t *codes, size_t stride);

#ifdef __cplusplus
}
#endif

#endif
