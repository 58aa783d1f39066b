/* SPDX-License-Identifier: Apache-2.0
 *
 * Conversions between floating-point numbers and codes, and between signed and unsigned codes, at
 * the ends of a network.
 */
#ifndef ASC_CONVERT_H
#define ASC_CONVERT_H

#include <stdint.h>

#include "asc_kernels.h"

#ifdef __cplusplus
extern "C" {
#endif

/* code = value / scale + zero_point, rounded to nearest with halves away from zero, within minimum
 * and maximum; codes of `code_bytes` bytes, 1 or 2. What is no number becomes the zero point. */
typedef struct {
    int32_t size;
    float scale;
    int32_t zero_point;
    int32_t minimum;
    int32_t maximum;
    int32_t code_bytes;
} asc_quantize_t;

/* value = scale * (code - zero_point) for signed or unsigned codes of `code_bytes` bytes, 1 or 2;
 * those of 2 bytes are signed. */
typedef struct {
    int32_t size;
    float scale;
    int32_t zero_point;
    int32_t code_bytes;
    int32_t is_signed;
} asc_dequantize_t;

/* Codes of one byte at another scale, of which the input is signed or not, and the output the
 * other; both are within minimum and maximum of their types. */
typedef struct {
    int32_t size;
    asc_operand_t input;
    int32_t zero_point;
    int32_t minimum;
    int32_t maximum;
    int32_t is_signed; /* the input */
} asc_change_sign_t;

void asc_quantize(const void *layer, const asc_kernel_args_t *args);
void asc_dequantize(const void *layer, const asc_kernel_args_t *args);
void asc_change_sign(const void *layer, const asc_kernel_args_t *args);

#ifdef __cplusplus
}
#endif

#endif
