/* SPDX-License-Identifier: Apache-2.0
 *
 * Loops of asc_spectrum.c for cores that multiply to 32 bits only. The portable loops there say
 * what they compute; the bits are the same.
 */
#ifndef ASC_SPECTRUM_THUMB1_H
#define ASC_SPECTRUM_THUMB1_H

#include "asc_fixed.h"
#include "asc_spectrum.h"

/* The assembly below reads these by their offsets. */
ASC_FIXED_ASSERT_OFFSET(asc_complex_t, re, 0);
ASC_FIXED_ASSERT_OFFSET(asc_complex_t, im, 4);

#define LENGTH ASC_SPECTRUM_LENGTH

/* clang-format off */

/* x1 = 2^16 high + low. Halves with a sign each leave room for the sum of two products. What is split
 * here is below sqrt(2) 2^30 or 0.7072 2^31 in magnitude and a few units of rounding. */
#define SPLIT_X \
    "sxth %[x0], %[x1]\n" \
    "subs %[x1], %[x1], %[x0]\n" \
    "asrs %[x1], %[x1], #16\n"

/* x1 = x y / 2^32, rounded: the carry of the last shift is the bit below. Changes x0. */
#define PRODUCT_IN_X \
    "mov %[t], %[x0]\n" \
    "muls %[t], %[y0], %[t]\n" \
    "asrs %[t], %[t], #16\n" \
    "muls %[x0], %[y1], %[x0]\n" \
    "adds %[t], %[t], %[x0]\n" \
    "mov %[u], %[x1]\n" \
    "muls %[u], %[y0], %[u]\n" \
    "adds %[t], %[t], %[u]\n" \
    "muls %[x1], %[y1], %[x1]\n" \
    "asrs %[t], %[t], #16\n" \
    "adcs %[x1], %[t]\n"

/* The same in y1. LESS takes the smallest bit off the product, so that halves are rounded down. */
#define PRODUCT_IN_Y(LESS) \
    "mov %[t], %[y0]\n" \
    "muls %[t], %[x0], %[t]\n" \
    LESS \
    "asrs %[t], %[t], #16\n" \
    "muls %[y0], %[x1], %[y0]\n" \
    "adds %[t], %[t], %[y0]\n" \
    "mov %[u], %[y1]\n" \
    "muls %[u], %[x0], %[u]\n" \
    "adds %[t], %[t], %[u]\n" \
    "muls %[y1], %[x1], %[y1]\n" \
    "asrs %[t], %[t], #16\n" \
    "adcs %[y1], %[t]\n"

/* Butterflies of elements a and b of the same turn, as far apart as the next a is from b: a becomes half of
 * a + b (cosine - i sine), b the rest of a. */
__attribute__((always_inline)) static inline void layer(asc_complex_t *a, asc_complex_t *b, const asc_complex_t *end,
                         asc_frontend_turn_t turn) {
    int32_t x0, x1 = turn.cosine, y0, y1 = turn.sine, t, u;
    __asm__ volatile(
        ".syntax unified\n"
        "movs %[t], #0\n"
        "sxth %[x0], %[x1]\n"
        "asrs %[x1], %[x1], #16\n"
        "adcs %[x1], %[t]\n"
        "mov r8, %[x0]\n"
        "mov r9, %[x1]\n"
        "sxth %[y0], %[y1]\n"
        "asrs %[y1], %[y1], #16\n"
        "adcs %[y1], %[t]\n"
        "mov r10, %[y0]\n"
        "mov r11, %[y1]\n"
        "1:\n"
        /* lr = a.im / 2 - b.re sine, the product rounded half down */
        "ldr %[x1], [%[b]]\n"
        SPLIT_X
        "mov %[y0], r10\n"
        "mov %[y1], r11\n"
        PRODUCT_IN_Y("subs %[t], %[t], #1\n")
        "ldr %[u], [%[a], #4]\n"
        "asrs %[u], %[u], #1\n"
        "subs %[u], %[u], %[y1]\n"
        "mov lr, %[u]\n"
        /* r12 = a.re / 2 + b.re cosine */
        "mov %[y0], r8\n"
        "mov %[y1], r9\n"
        PRODUCT_IN_X
        "ldr %[u], [%[a]]\n"
        "asrs %[u], %[u], #1\n"
        "adds %[x1], %[x1], %[u]\n"
        "mov r12, %[x1]\n"
        /* lr + b.im cosine */
        "ldr %[x1], [%[b], #4]\n"
        SPLIT_X
        PRODUCT_IN_Y("")
        "add %[y1], lr\n"
        "ldr %[u], [%[a], #4]\n"
        "str %[y1], [%[a], #4]\n"
        "subs %[u], %[u], %[y1]\n"
        "str %[u], [%[b], #4]\n"
        /* r12 + b.im sine */
        "mov %[y0], r10\n"
        "mov %[y1], r11\n"
        PRODUCT_IN_X
        "add %[x1], r12\n"
        "ldr %[u], [%[a]]\n"
        "str %[x1], [%[a]]\n"
        "subs %[u], %[u], %[x1]\n"
        "str %[u], [%[b]]\n"
        "subs %[t], %[b], %[a]\n"
        "adds %[a], %[b], %[t]\n"
        "adds %[b], %[a], %[t]\n"
        "ldr %[u], %[end]\n"
        "cmp %[a], %[u]\n"
        "blo 1b\n"
        : [a] "+&l"(a), [b] "+&l"(b), [x0] "=&l"(x0), [x1] "+&l"(x1), [y0] "=&l"(y0),
          [y1] "+&l"(y1), [t] "=&l"(t), [u] "=&l"(u)
        : [end] "m"(end)
        : "r8", "r9", "r10", "r11", "r12", "lr", "cc", "memory");
}

/* clang-format on */

/* The same for a turn of nothing, by the largest cosine there is: a product with it is half of b,
 * rounded towards zero. */
static void unturned_layer(asc_complex_t *a, uint32_t span, const asc_complex_t *end) {
    for (; a < end; a += 2 * span) {
        const asc_complex_t half = {(a->re >> 1) + a[span].re / 2, (a->im >> 1) + a[span].im / 2};
        a[span].re = a->re - half.re;
        a[span].im = a->im - half.im;
        *a = half;
    }
}

/* The same for a turn by -i. */
static void turned_back_layer(asc_complex_t *a, uint32_t span, const asc_complex_t *end) {
    for (; a < end; a += 2 * span) {
        const asc_complex_t half = {(a->re >> 1) + a[span].im / 2, (a->im >> 1) - a[span].re / 2};
        a[span].re = a->re - half.re;
        a[span].im = a->im - half.im;
        *a = half;
    }
}

/* Not in line: the layers above take a kilobyte. */
__attribute__((noinline)) static void butterflies(asc_complex_t *z, uint32_t span,
                                                  const asc_frontend_twiddle_t *twiddle) {
    const asc_complex_t *end = z + LENGTH;
    if (twiddle == asc_frontend_twiddle) {
        unturned_layer(z, span, end);
        unturned_layer(z, 2 * span, end);
        turned_back_layer(z + span, 2 * span, end);
        return;
    }
    if (twiddle == asc_frontend_twiddle + LENGTH / 8u) {
        turned_back_layer(z, span, end);
    } else {
        layer(z, z + span, end, twiddle->first);
    }
    const asc_frontend_turn_t back = {-twiddle->second.sine, twiddle->second.cosine};
    layer(z, z + 2 * span, end, twiddle->second);
    layer(z + span, z + 3 * span, end, back);
}

static inline void last_butterflies(asc_complex_t *z) {
    for (uint32_t j = 0; j < LENGTH / 4u; j++) {
        butterflies(z + j, LENGTH / 4u, &asc_frontend_twiddle[j]);
    }
}

static inline void power_of_pairs(asc_spectrum_t *spectrum) {
    asc_complex_t *z = spectrum->z;
    for (uint32_t k = 1; k < LENGTH / 2u; k++) {
        const asc_frontend_turn_t turn = {asc_frontend_cosine[k],
                                          asc_frontend_cosine[LENGTH / 2u - k]};
        asc_complex_t *low = z + k;
        asc_complex_t *high = z + LENGTH - k;
        const asc_complex_t even = {low->re + high->re, low->im - high->im};
        const asc_complex_t odd = {low->im + high->im, high->re - low->re};
        *low = even;
        *high = odd;
        layer(low, high, low, turn);
        spectrum->power[k] = asc_squares(low->re, low->im);
        spectrum->power[LENGTH - k] = asc_squares(high->re, high->im);
    }
}

#endif
