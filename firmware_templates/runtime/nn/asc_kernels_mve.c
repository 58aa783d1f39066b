/* SPDX-License-Identifier: Apache-2.0
 *
 * Sums of pixels and of rows, and other scales, for cores with Helium (Armv8.1-M's vector
 * extension), in place of those of asc_kernels.c; see asc_kernels.h.
 */
#include "asc_kernels.h"

#if ASC_KERNELS_MVE

#include "asc_arithmetic_mve.h"

enum { LANES = 4 };

void asc_sum(const void *data, const asc_kernel_args_t *args) {
    const asc_sum_t *layer = data;
    const int32_t channels = layer->channels;
    int32_t *sums = (int32_t *)(void *)args->output;
    for (int32_t c = 0; c < channels; c += LANES) {
        const mve_pred16_t inside = vctp32q((uint32_t)(channels - c));
        const int8_t *value = args->rows[0] + c;
        int32x4_t sum = args->run == 0 ? vdupq_n_s32(0) : vldrwq_z_s32(sums + c, inside);
        for (int32_t x = 0; x < layer->width; x++, value += channels) {
            sum = vaddq_s32(sum, vldrbq_z_s32(value, inside));
        }
        vstrwq_p_s32(sums + c, sum, inside);
    }
}

/* As asc_widen. */
static inline int32x4_t load_operand(const asc_operand_t *operand, const int8_t *codes,
                                     mve_pred16_t inside) {
    const int32x4_t values = vsubq_n_s32(vldrbq_z_s32(codes, inside), operand->zero_point);
    return asc_multiply_by_quantized_multiplier_4(vshlq_n_s32(values, 20), operand->multiplier,
                                                  operand->shift);
}

void asc_add(const void *data, const asc_kernel_args_t *args) {
    const asc_add_t *layer = data;
    for (int32_t i = 0; i < layer->size; i += LANES) {
        const mve_pred16_t inside = vctp32q((uint32_t)(layer->size - i));
        int32x4_t sum = vaddq_s32(load_operand(&layer->first, args->rows[0] + i, inside),
                                  load_operand(&layer->second, args->rows[1] + i, inside));
        sum = asc_multiply_by_quantized_multiplier_4(sum, layer->multiplier, layer->shift);
        vstrbq_p_s32(args->output + i, asc_to_output_4(&layer->range, sum), inside);
    }
}

void asc_requantize(const void *data, const asc_kernel_args_t *args) {
    const asc_requantize_t *layer = data;
    const asc_operand_t *from = &layer->input;
    for (int32_t i = 0; i < layer->size; i += LANES) {
        const mve_pred16_t inside = vctp32q((uint32_t)(layer->size - i));
        int32x4_t values = vsubq_n_s32(vldrbq_z_s32(args->rows[0] + i, inside), from->zero_point);
        values = asc_multiply_by_quantized_multiplier_4(values, from->multiplier, from->shift);
        vstrbq_p_s32(args->output + i, asc_to_output_4(&layer->range, values), inside);
    }
}

#endif
