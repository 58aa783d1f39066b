/* SPDX-License-Identifier: Apache-2.0
 *
 * The logarithm of a softmax; see asc_softmax.h.
 *
 * Reference: TensorFlow Lite, kernels/internal/reference/log_softmax.h, and
 * log_x_for_x_greater_than_or_equal_to_1 in kernels/internal/common.h.
 */
#include "asc_arithmetic.h"
#include "asc_exponential.h"
#include "asc_reciprocal.h"
#include "asc_softmax.h"

static int32_t product(int32_t a, int32_t b) {
    return asc_saturating_rounding_doubling_high_mul(a, b);
}

static int32_t saturated(int64_t value) {
    return value > INT32_MAX ? INT32_MAX : value < INT32_MIN ? INT32_MIN : (int32_t)value;
}

/* value * 2^bits, saturated; bits are 0 to 30. */
static int32_t times_pot(int32_t value, int32_t bits) {
    return saturated((int64_t)value * (INT64_C(1) << bits));
}

/* log(x / 2^19) * 2^26 for x of at least 2^19: x is brought to a number near the square root of a
 * half times a power of two, whose logarithm is a quotient of polynomials. */
static int32_t logarithm(int32_t x) {
    const int32_t log_2 = 1488522236, half_root = 1518500250, fourth_root = 1805811301;
    const int32_t alpha_n = 117049297, alpha_d = 127690142;
    const int32_t alpha_i = 1057819769, alpha_f = 638450708;
    /* With 6 integer bits */
    const int32_t quarter = INT32_C(1) << 23;
    const int32_t zeros = asc_leading_zeros((uint32_t)x);
    const int32_t reduced = times_pot(product(times_pot(x, zeros - 1), half_root), 1);
    const int32_t power = saturated((int64_t)times_pot(12 - zeros, 25) + quarter);
    const int32_t headroom = asc_leading_zeros((uint32_t)product(x, half_root)) - 1;
    const int32_t other_reduced = times_pot(x, headroom);
    const int32_t other_power = saturated((int64_t)times_pot(12 - headroom, 25) - quarter);
    const int32_t r = asc_min(reduced, other_reduced);
    const int32_t exponent = asc_max(power, other_power);
    const int64_t sum = (int64_t)r + fourth_root;
    const int32_t p = (int32_t)((sum + (sum >= 0 ? 1 : -1)) / 2);
    const int32_t q = (r - fourth_root) * 2;
    const int32_t square = product(q, q);
    const int32_t numerator = product(q, r) + product(product(q, square), alpha_n);
    const int32_t denominator =
        product(p, alpha_i + q + product(alpha_d, square)) + product(alpha_f, q);
    const int32_t quotient =
        product(asc_rounding_divide_by_pot(numerator, 6), asc_reciprocal_of_one_plus(denominator));
    return times_pot(product(exponent, log_2) + quotient, 1);
}

static void log_softmax_row(const asc_log_softmax_t *layer, const int8_t *input, int8_t *output) {
    int32_t best = INT8_MIN;
    for (int32_t c = 0; c < layer->classes; c++) {
        best = asc_max(best, input[c]);
    }
    /* The sum has 12 integer bits. */
    int32_t sum = 0;
    for (int32_t c = 0; c < layer->classes; c++) {
        const int32_t difference = input[c] - best;
        if (difference >= layer->minimum) {
            const int32_t scaled =
                asc_multiply_by_quantized_multiplier(difference, layer->multiplier, layer->shift);
            sum += asc_rounding_divide_by_pot(asc_exp(scaled), 12);
        }
    }
    const int32_t log_sum = logarithm(sum);
    const int32_t least = asc_multiply_by_quantized_multiplier(
        log_sum + INT32_MIN, layer->reverse_multiplier, layer->reverse_shift);
    const int32_t bound = asc_max(layer->minimum - 1, least);
    for (int32_t c = 0; c < layer->classes; c++) {
        const int32_t difference = input[c] - best;
        int32_t code = INT8_MIN;
        if (difference > bound) {
            const int32_t scaled =
                asc_multiply_by_quantized_multiplier(difference, layer->multiplier, layer->shift);
            code = asc_rounding_divide_by_pot(scaled - log_sum, 22) + INT8_MAX;
        }
        output[c] = (int8_t)asc_min(asc_max(code, INT8_MIN), INT8_MAX);
    }
}

void asc_log_softmax(const void *data, const asc_kernel_args_t *args) {
    const asc_log_softmax_t *layer = data;
    for (int32_t row = 0; row < layer->rows; row++) {
        const int32_t start = row * layer->classes;
        log_softmax_row(layer, args->rows[0] + start, args->output + start);
    }
}
