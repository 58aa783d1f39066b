/* SPDX-License-Identifier: Apache-2.0
 *
 * Vectors of length 1; see asc_l2_norm.h.
 *
 * Reference: TensorFlow Lite, kernels/internal/reference/integer_ops/l2normalization.h, and
 * GetInvSqrtQuantizedMultiplierExp in kernels/internal/common.h.
 */
#include "asc_l2_norm.h"

#include "asc_arithmetic.h"

typedef struct {
    int32_t multiplier;
    int32_t shift;
} factor_t;

static int32_t product(int32_t a, int32_t b) {
    return asc_saturating_rounding_doubling_high_mul(a, b);
}

/* value * 2^bits, saturated. */
static int32_t times_pot(int32_t value, int32_t bits) {
    const int64_t wide = (int64_t)value * (INT64_C(1) << bits);
    return wide > INT32_MAX ? INT32_MAX : wide < INT32_MIN ? INT32_MIN : (int32_t)wide;
}

/* Returns 1 / sqrt(value) as multiplier / 2^31 * 2^shift; 0 counts as 1. Five steps of Newton's
 * method from 1, of numbers with 3 integer bits, on the value times a power of four. */
static factor_t reciprocal_root(int32_t value) {
    if (value <= 1) {
        return (factor_t){INT32_MAX, 0};
    }
    int32_t right = 11;
    while (value >= (INT32_C(1) << 29)) {
        value /= 4;
        right++;
    }
    while (value < (INT32_C(1) << 27)) {
        value *= 4;
        right--;
    }
    const int32_t half = asc_rounding_divide_by_pot(value >> 1, 1);
    const int32_t three_halves = (INT32_C(1) << 28) + (INT32_C(1) << 27);
    int32_t root = INT32_C(1) << 28;
    for (int i = 0; i < 5; i++) {
        const int32_t cube = times_pot(product(product(root, root), root), 6);
        root = times_pot(product(three_halves, root) - product(half, cube), 3);
    }
    root = product(root, 1518500250);
    return right < 0 ? (factor_t){asc_shift_left(root, -right), 0} : (factor_t){root, -right};
}

void asc_l2_norm(const void *data, const asc_kernel_args_t *args) {
    const asc_l2_norm_t *layer = data;
    const int8_t *input = args->rows[0];
    int8_t *output = args->output;
    for (int32_t row = 0; row < layer->rows; row++, input += layer->size, output += layer->size) {
        int32_t squares = 0;
        for (int32_t i = 0; i < layer->size; i++) {
            const int32_t value = input[i] - layer->zero_point;
            squares += value * value;
        }
        const factor_t factor = reciprocal_root(squares);
        for (int32_t i = 0; i < layer->size; i++) {
            /* The output has 7 fractional bits. */
            const int32_t code = asc_multiply_by_quantized_multiplier(
                input[i] - layer->zero_point, factor.multiplier, factor.shift + 7);
            output[i] = (int8_t)asc_min(asc_max(code, INT8_MIN), INT8_MAX);
        }
    }
}
