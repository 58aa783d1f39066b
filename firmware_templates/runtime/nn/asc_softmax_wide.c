/* SPDX-License-Identifier: Apache-2.0
 *
 * Softmax over many classes or with 16 bits; see asc_softmax.h.
 *
 * Reference: TensorFlow Lite, kernels/internal/reference/softmax.h.
 */
#include "asc_softmax.h"

#include <string.h>

#include "asc_arithmetic.h"
#include "asc_exponential.h"
#include "asc_reciprocal.h"

static int32_t exponential_of(const asc_softmax_t *layer, int32_t difference) {
    return asc_exp(asc_saturating_rounding_doubling_high_mul(
        asc_shift_left(difference, layer->shift), layer->multiplier));
}

/* value / 2^bits of a value that is not negative. Where the exponentials add up to 512 or more, the
 * reference shifts by 32 bits or more, which C leaves open: this is what it makes on Arm's cores.
 */
static int32_t divide(int32_t value, int32_t bits) {
    return bits < 32 ? asc_rounding_divide_by_pot(value, bits) : 1;
}

static void write_code(int8_t *output, int32_t code, int32_t bits) {
    if (bits == 8) {
        *output = (int8_t)asc_min(code, INT8_MAX);
    } else {
        const int16_t wide = (int16_t)asc_min(code, INT16_MAX);
        memcpy(output, &wide, sizeof wide);
    }
}

static void softmax_row(const asc_softmax_wide_t *wide, const int8_t *input, int8_t *output) {
    const asc_softmax_t *layer = &wide->softmax;
    const int32_t lowest = wide->bits == 8 ? INT8_MIN : INT16_MIN;
    int32_t best = INT8_MIN;
    for (int32_t c = 0; c < layer->classes; c++) {
        best = asc_max(best, input[c]);
    }
    /* The sum has 12 integer bits. */
    int32_t sum = 0;
    for (int32_t c = 0; c < layer->classes; c++) {
        if (input[c] - best >= layer->minimum) {
            sum += asc_rounding_divide_by_pot(exponential_of(layer, input[c] - best), 12);
        }
    }
    const int32_t headroom = asc_leading_zeros((uint32_t)sum);
    const uint32_t fraction = ((uint32_t)sum << headroom) - (UINT32_C(1) << 31);
    const int32_t reciprocal = asc_reciprocal_of_one_plus((int32_t)fraction);
    const int32_t bits = 12 - headroom + 31 - wide->bits;
    for (int32_t c = 0; c < layer->classes; c++, output += wide->bits / 8) {
        const int32_t difference = input[c] - best;
        int32_t code = lowest;
        if (difference >= layer->minimum) {
            const int32_t exponential = exponential_of(layer, difference);
            code +=
                divide(asc_saturating_rounding_doubling_high_mul(reciprocal, exponential), bits);
        }
        write_code(output, code, wide->bits);
    }
}

void asc_softmax_wide(const void *data, const asc_kernel_args_t *args) {
    const asc_softmax_wide_t *layer = data;
    const int32_t classes = layer->softmax.classes;
    for (int32_t row = 0; row < layer->softmax.rows; row++) {
        const int32_t start = row * classes;
        softmax_row(layer, args->rows[0] + start, args->output + start * (layer->bits / 8));
    }
}
