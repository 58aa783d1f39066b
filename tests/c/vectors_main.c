/* Compares the rounding of vectors with that of single values and prints how many differ. */
#include "asc_arithmetic_mve.h"
#include "platform.h"

static const int32_t extremes[] = {INT32_MIN,
                                   INT32_MIN + 1,
                                   -(1 << 30) - 1,
                                   -(1 << 30),
                                   -65537,
                                   -32768,
                                   -3,
                                   -2,
                                   -1,
                                   0,
                                   1,
                                   2,
                                   3,
                                   4,
                                   32767,
                                   65536,
                                   1 << 29,
                                   (1 << 30) - 1,
                                   1 << 30,
                                   INT32_MAX - 1,
                                   INT32_MAX};
enum { EXTREMES = sizeof extremes / sizeof extremes[0], RANDOM = 60 };

static uint32_t state = 1;

static int32_t next(void) {
    state = state * 1664525u + 1013904223u;
    return (int32_t)state;
}

/* Extreme values, then random ones of all magnitudes. */
static int32_t value_of(int i) {
    return i < EXTREMES ? extremes[i] : next() >> ((i - EXTREMES) % 31);
}

static int32_t multiplier_of(int i) {
    static const int32_t few[] = {0, 1 << 30, (1 << 30) + 1, INT32_MAX - 1, INT32_MAX};
    return i < 5 ? few[i] : (next() & INT32_MAX) | (1 << 30);
}

static int differs(int32x4_t values, int32_t expected) {
    return vgetq_lane_s32(values, 0) != expected || vgetq_lane_s32(values, 3) != expected;
}

int main(void) {
    uint32_t different = 0;
    for (int m = 0; m < 12; m++) {
        const int32_t multiplier = multiplier_of(m);
        for (int32_t shift = -31; shift <= 30; shift++) {
            for (int i = 0; i < EXTREMES + RANDOM; i++) {
                const int32_t value = value_of(i);
                const int32_t expected =
                    asc_multiply_by_quantized_multiplier(value, multiplier, shift);
                const int32x4_t values = vdupq_n_s32(value);
                different += (uint32_t)differs(
                    asc_multiply_by_quantized_multiplier_4(values, multiplier, shift), expected);
                if (shift < 0) {
                    const int32x4_t down =
                        asc_multiply_by_quantized_multiplier_down_4(values, multiplier, shift);
                    different += (uint32_t)differs(down, expected);
                }
            }
        }
    }
    platform_print(different == 0 ? "same\n" : "different\n");
    return 0;
}
