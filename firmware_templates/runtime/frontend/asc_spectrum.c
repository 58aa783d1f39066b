/* SPDX-License-Identifier: Apache-2.0
 *
 * Every step has a bit-exact twin of the same name in asc-tiny's Python model.
 */
#include "asc_spectrum.h"

#include "asc_fixed.h"

#define ASC_SPECTRUM_ASSEMBLY_SAMPLES                                              \
    ((ASC_HAS_THUMB2_LOOPS || ASC_HAS_THUMB1) && ASC_FRONTEND_SAMPLE_BITS == 16 && \
     !ASC_SPECTRUM_SHORT_WINDOW)

/* asc_spectrum_mve.c has it in vectors. */
#if !ASC_HAS_MVE

#define LENGTH ASC_SPECTRUM_LENGTH
#define QUARTER (ASC_FRONTEND_N_FFT / 4u) /* of a turn, in the table of cosines */

typedef asc_frontend_turn_t turn_t;
typedef asc_frontend_twiddle_t twiddle_t;

#if ASC_HAS_THUMB2_LOOPS
#include "asc_spectrum_thumb2.h"
#elif ASC_HAS_THUMB1
#include "asc_spectrum_thumb1.h"
#endif

#if ASC_SPECTRUM_ASSEMBLY_SAMPLES && ASC_HAS_THUMB2_LOOPS
#include "asc_spectrum_samples_thumb2.h"
#elif ASC_SPECTRUM_ASSEMBLY_SAMPLES
#include "asc_spectrum_samples_thumb1.h"
#endif

/* Half of a + b (cosine - i sine). */
static inline asc_complex_t half_turn(asc_complex_t a, asc_complex_t b, turn_t turn) {
    asc_complex_t half = {a.re >> 1, a.im >> 1};
    half.re = asc_add_product(half.re, b.re, turn.cosine);
    half.im = asc_add_product(half.im, b.im, turn.cosine);
    half.re = asc_add_product(half.re, b.im, turn.sine);
    half.im = asc_subtract_product(half.im, b.re, turn.sine);
    return half;
}

static inline asc_complex_t subtract(asc_complex_t a, asc_complex_t b) {
    const asc_complex_t difference = {a.re - b.re, a.im - b.im};
    return difference;
}

#if !ASC_SPECTRUM_ASSEMBLY_SAMPLES
#include "asc_spectrum_samples.h"
#endif

#if !ASC_HAS_THUMB2_LOOPS && !ASC_HAS_THUMB1

/* Half of a - i b (cosine - i sine). */
static inline asc_complex_t half_turn_back(asc_complex_t a, asc_complex_t b, turn_t turn) {
    asc_complex_t half = {a.re >> 1, a.im >> 1};
    half.re = asc_subtract_product(half.re, b.re, turn.sine);
    half.im = asc_subtract_product(half.im, b.im, turn.sine);
    half.re = asc_add_product(half.re, b.im, turn.cosine);
    half.im = asc_subtract_product(half.im, b.re, turn.cosine);
    return half;
}

static inline void butterfly(asc_complex_t *z, uint32_t span, const twiddle_t *twiddle) {
    const asc_complex_t a = z[0];
    const asc_complex_t c = z[2 * span];
    const asc_complex_t a1 = half_turn(a, z[span], twiddle->first);
    const asc_complex_t b1 = subtract(a, a1);
    const asc_complex_t c1 = half_turn(c, z[3 * span], twiddle->first);
    const asc_complex_t d1 = subtract(c, c1);
    const asc_complex_t a2 = half_turn(a1, c1, twiddle->second);
    const asc_complex_t b2 = half_turn_back(b1, d1, twiddle->second);
    z[0] = a2;
    z[span] = b2;
    z[2 * span] = subtract(a1, a2);
    z[3 * span] = subtract(b1, b2);
}

static inline void butterflies(asc_complex_t *z, uint32_t span, const twiddle_t *twiddle) {
    for (uint32_t k = 0; k < LENGTH; k += 4 * span) {
        butterfly(z + k, span, twiddle);
    }
}

/* Two layers, which add elements `span` and 2 `span` apart. */
static inline void two_layers(asc_complex_t *z, uint32_t span) {
    for (uint32_t j = 0; j < span; j++) {
        butterflies(z + j, span, asc_frontend_twiddle + j * (LENGTH / 4u / span));
    }
}

static inline void last_butterflies(asc_complex_t *z) {
    for (uint32_t j = 0; j < LENGTH / 4u; j++) {
        butterfly(z + j, LENGTH / 4u, &asc_frontend_twiddle[j]);
    }
}

#endif

/* One layer, which adds elements 4 apart. */
static void one_layer(asc_complex_t *z) {
    for (uint32_t k = 0; k < LENGTH; k += 8) {
        for (uint32_t j = 0; j < 4; j++) {
            asc_complex_t *a = z + k + j;
            const asc_complex_t half =
                half_turn(a[0], a[4], asc_frontend_twiddle[j * (LENGTH / 16u)].first);
            a[4] = subtract(a[0], half);
            a[0] = half;
        }
    }
}

/* Complex transform, scaled by 4 / LENGTH: each layer but the first two halves. */
static void fft(asc_complex_t *z, const asc_sample_pair_t *pairs, uint32_t shift) {
    first_layers(z, pairs, shift);
    if (LENGTH == 128 || LENGTH == 512 || LENGTH == 2048) {
        one_layer(z);
        two_layers(z, 8);
        if (LENGTH > 128) {
            two_layers(z, 32);
        }
        if (LENGTH > 512) {
            two_layers(z, 128);
        }
    } else {
        two_layers(z, 4);
        two_layers(z, 16);
        if (LENGTH > 256) {
            two_layers(z, 64);
        }
        if (LENGTH > 1024) {
            two_layers(z, 256);
        }
    }
    last_butterflies(z);
}

#if !ASC_HAS_THUMB2_LOOPS && !ASC_HAS_THUMB1

static inline void power_of_pairs(asc_spectrum_t *spectrum) {
    const asc_complex_t *z = spectrum->z;
    for (uint32_t k = 1; k < LENGTH / 2u; k++) {
        const turn_t turn = {asc_frontend_cosine[k], asc_frontend_cosine[QUARTER - k]};
        const asc_complex_t low = z[k];
        const asc_complex_t high = z[LENGTH - k];
        const asc_complex_t even = {low.re + high.re, low.im - high.im};
        const asc_complex_t odd = {low.im + high.im, high.re - low.re};
        const asc_complex_t sum = half_turn(even, odd, turn);
        spectrum->power[k] = asc_squares(sum.re, sum.im);
        const asc_complex_t rest = subtract(even, sum);
        spectrum->power[LENGTH - k] = asc_squares(rest.re, rest.im);
    }
}

#endif

/* From the complex transform to the spectrum of the real samples, in place. No sum overflows: only
 * bins 0 and LENGTH / 2 can have more than 0.71 of the samples' sum. */
static void real_power(asc_spectrum_t *spectrum) {
    const asc_complex_t *z = spectrum->z;
    const int64_t offset = (int64_t)z[0].re + z[0].im;
    spectrum->power[0] = (uint64_t)(offset * offset);
    spectrum->power[LENGTH / 2u] = asc_squares(z[LENGTH / 2u].re, z[LENGTH / 2u].im);
    power_of_pairs(spectrum);
}

void asc_spectrum_power(asc_spectrum_t *spectrum, const asc_sample_pair_t *pairs, uint32_t shift) {
    fft(spectrum->z, pairs, shift);
    real_power(spectrum);
}

#endif
