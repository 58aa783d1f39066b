/* SPDX-License-Identifier: Apache-2.0
 *
 * Quotients; see asc_binary.h.
 *
 * Reference: TensorFlow Lite, kernels/internal/reference/div.h. Its last shift may be by 32 bits or
 * more, which C leaves open: as on computers with x86 and RISC-V, the lower 5 bits count.
 */
#include "asc_arithmetic.h"
#include "asc_binary.h"
#include "asc_reciprocal.h"

/* What the reference makes of a division by 0, whose arithmetic leaves 32 bits. */
enum { RECIPROCAL_OF_ZERO = -1515870796, BITS_OF_ZERO = -1 };

/* Sign bits behind the first one */
static int32_t headroom_of(int32_t value) {
    return asc_leading_zeros((uint32_t)(value < 0 ? ~value : value)) - 1;
}

static int32_t divide_by_pot(int32_t value, int32_t bits) {
    if (bits < 32) {
        return asc_rounding_divide_by_pot(value, bits);
    }
    return (value >> (bits & 31)) + (value >= 0 ? 1 : 0);
}

static int8_t quotient(const asc_binary_t *layer, int32_t first, int32_t second) {
    int32_t dividend = first - layer->first.zero_point;
    int32_t divisor = second - layer->second.zero_point;
    if (divisor < 0) {
        dividend = -dividend;
        divisor = -divisor;
    }
    int32_t reciprocal = RECIPROCAL_OF_ZERO;
    int32_t bits = BITS_OF_ZERO;
    if (divisor != 0) {
        const int32_t zeros = asc_leading_zeros((uint32_t)divisor);
        const uint32_t fraction = ((uint32_t)divisor << zeros) - (UINT32_C(1) << 31);
        reciprocal = asc_reciprocal_of_one_plus((int32_t)fraction);
        bits = 31 - zeros;
    }
    const int32_t headroom = headroom_of(dividend);
    const int32_t unscaled =
        asc_saturating_rounding_doubling_high_mul(asc_shift_left(dividend, headroom), reciprocal);
    const int32_t scaled = asc_saturating_rounding_doubling_high_mul(unscaled, layer->multiplier);
    return asc_to_output(&layer->range, divide_by_pot(scaled, bits + headroom - layer->shift));
}

void asc_div(const void *data, const asc_kernel_args_t *args) {
    const asc_binary_t *layer = data;
    int8_t *output = args->output;
    for (int32_t i = 0; i < layer->count[0]; i++) {
        const int8_t *first = args->rows[0] + i * layer->first_step[0];
        const int8_t *second = args->rows[1] + i * layer->second_step[0];
        for (int32_t j = 0; j < layer->count[1]; j++) {
            *output++ = quotient(layer, *first, *second);
            first += layer->first_step[1];
            second += layer->second_step[1];
        }
    }
}
