/* SPDX-License-Identifier: Apache-2.0
 *
 * From samples to the first two layers of the transform of asc_spectrum.c: with a window as long
 * as the transform, which the table of cosines has, or with a shorter one from a table of its own.
 */
#ifndef ASC_SPECTRUM_SAMPLES_H
#define ASC_SPECTRUM_SAMPLES_H

#include "asc_fixed.h"
#include "asc_spectrum.h"

#define LENGTH ASC_SPECTRUM_LENGTH

/* The samples of a pair, shifted and at the top of a word. */
#if ASC_FRONTEND_SAMPLE_BITS == 16

static inline uint32_t even_sample(asc_sample_pair_t pair, uint32_t shift) {
    return pair << (16u + shift);
}

static inline uint32_t odd_sample(asc_sample_pair_t pair, uint32_t shift) {
    return pair >> 16 << (16u + shift);
}

static inline int32_t windowed(int32_t window, uint32_t sample) {
    return asc_multiply_high(window, sample);
}

static inline int32_t add_windowed(int32_t a, int32_t window, uint32_t sample) {
    return asc_add_high_product(a, window, sample);
}

#else

static inline uint32_t even_sample(asc_sample_pair_t pair, uint32_t shift) {
    return (uint32_t)pair.re << shift;
}

static inline uint32_t odd_sample(asc_sample_pair_t pair, uint32_t shift) {
    return (uint32_t)pair.im << shift;
}

static inline int32_t windowed(int32_t window, uint32_t sample) {
    return asc_add_product(0, window, (int32_t)sample);
}

static inline int32_t add_windowed(int32_t a, int32_t window, uint32_t sample) {
    return asc_add_product(a, window, (int32_t)sample);
}

#endif

#if ASC_SPECTRUM_SHORT_WINDOW

/* A pair times its windows in Q30. */
static inline asc_complex_t windowed_pair(asc_sample_pair_t pair, const int32_t *window,
                                          uint32_t shift) {
    const asc_complex_t z = {windowed(window[0], even_sample(pair, shift)),
                             windowed(window[1], odd_sample(pair, shift))};
    return z;
}

/* Pair n of a quarter of the transform, nothing in quarters behind those that there are. */
static inline asc_complex_t pair_of(const asc_sample_pair_t *pairs, uint32_t n, uint32_t quarter,
                                    uint32_t quarters, uint32_t shift) {
    const asc_complex_t none = {0, 0};
    const uint32_t place = n + quarter * (LENGTH / 4u);
    return quarter < quarters ? windowed_pair(pairs[place], asc_frontend_window + 2u * place, shift)
                              : none;
}

/* Groups of four elements, of which the first `quarters` hold samples. */
static inline void groups(asc_complex_t *z, const asc_sample_pair_t *pairs, uint32_t first,
                          uint32_t end, uint32_t quarters, uint32_t shift) {
    const uint32_t unused_bits = asc_leading_zeros(LENGTH / 4u) + 1u;
    for (uint32_t n = first; n < end; n++) {
        asc_complex_t *group = z + 4 * (asc_reverse_bits(n) >> unused_bits);
        const asc_complex_t z0 = pair_of(pairs, n, 0, quarters, shift);
        const asc_complex_t z1 = pair_of(pairs, n, 1, quarters, shift);
        const asc_complex_t z2 = pair_of(pairs, n, 2, quarters, shift);
        const asc_complex_t z3 = pair_of(pairs, n, 3, quarters, shift);
        const asc_complex_t a = {z0.re + z2.re, z0.im + z2.im};
        const asc_complex_t b = {z0.re - z2.re, z0.im - z2.im};
        const asc_complex_t c = {z1.re + z3.re, z1.im + z3.im};
        const asc_complex_t d = {z1.re - z3.re, z1.im - z3.im};
        group[0].re = a.re + c.re;
        group[0].im = a.im + c.im;
        group[1].re = b.re + d.im;
        group[1].im = b.im - d.re;
        group[2].re = a.re - c.re;
        group[2].im = a.im - c.im;
        group[3].re = b.re - d.im;
        group[3].im = b.im + d.re;
    }
}

/* Window, bit reversal and the first two layers. The windows of two samples that lie half of the
 * transform apart are 1 in all at most, so that neither layer can overflow. */
static void first_layers(asc_complex_t *z, const asc_sample_pair_t *pairs, uint32_t shift) {
    const uint32_t whole = ASC_SPECTRUM_SAMPLES / 2u / (LENGTH / 4u);
    const uint32_t rest = ASC_SPECTRUM_SAMPLES / 2u % (LENGTH / 4u);
    groups(z, pairs, 0, rest, whole + (rest > 0u), shift);
    groups(z, pairs, rest, LENGTH / 4u, whole, shift);
}

#else

typedef struct {
    int32_t sum;
    int32_t difference;
} sum_t;

/* Two samples whose windows in Q30 add up to 1: half of it less or more than `part`. */
static inline sum_t add_windowed_samples(int32_t part, uint32_t first, uint32_t second) {
    const int32_t half = INT32_C(1) << 29;
    const int32_t a = windowed(half - part, first);
    const int32_t sum = add_windowed(a, half + part, second);
    const sum_t both = {sum, 2 * a - sum};
    return both;
}

/* Hann window and the first two layers of four elements: pairs, a quarter of a frame apart, and
 * what the window takes from the table of cosines. */
static inline void first_butterfly(asc_complex_t *z, const asc_sample_pair_t *pairs,
                                   const int32_t *cosine, const int32_t *sine, uint32_t shift) {
    const asc_sample_pair_t *second = pairs + LENGTH / 4u;
    const asc_sample_pair_t *third = pairs + LENGTH / 2u;
    const asc_sample_pair_t *fourth = pairs + 3u * LENGTH / 4u;
    const sum_t a = add_windowed_samples(cosine[0] >> 2, even_sample(*pairs, shift),
                                         even_sample(*third, shift));
    const sum_t b = add_windowed_samples(-(sine[0] >> 2), even_sample(*second, shift),
                                         even_sample(*fourth, shift));
    z[0].re = a.sum + b.sum;
    z[2].re = a.sum - b.sum;
    const sum_t c =
        add_windowed_samples(cosine[1] >> 2, odd_sample(*pairs, shift), odd_sample(*third, shift));
    const sum_t d = add_windowed_samples(-(sine[-1] >> 2), odd_sample(*second, shift),
                                         odd_sample(*fourth, shift));
    z[0].im = c.sum + d.sum;
    z[2].im = c.sum - d.sum;
    z[1].re = a.difference + d.difference;
    z[1].im = c.difference - b.difference;
    z[3].re = a.difference - d.difference;
    z[3].im = c.difference + b.difference;
}

/* Window, bit reversal and the first two layers, which have no twiddle factors. The window of the
 * two samples that the first layer adds is 1 in all: neither layer can overflow. */
static void first_layers(asc_complex_t *z, const asc_sample_pair_t *pairs, uint32_t shift) {
    const uint32_t unused_bits = asc_leading_zeros(LENGTH / 4u) + 1u;
    const int32_t *cosine = asc_frontend_cosine;
    const int32_t *sine = asc_frontend_cosine + QUARTER;
    for (uint32_t n = 0; n < LENGTH / 4u; n++, pairs++, cosine += 2, sine -= 2) {
        const uint32_t group = asc_reverse_bits(n) >> unused_bits;
        first_butterfly(z + 4 * group, pairs, cosine, sine, shift);
    }
}

#endif

#endif
