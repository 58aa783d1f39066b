/* SPDX-License-Identifier: Apache-2.0
 *
 * The first two layers of asc_spectrum_mve.c where the window is shorter than the transform, as
 * asc_spectrum_samples.h has them.
 */
#ifndef ASC_SPECTRUM_WINDOW_MVE_H
#define ASC_SPECTRUM_WINDOW_MVE_H

/* Four pairs of samples times their windows in Q30. */
static inline quad_t windowed(const asc_sample_pair_t *pairs, quad_t window, uint32_t shift) {
#if ASC_FRONTEND_SAMPLE_BITS == 16
    const int32x4_t words = vreinterpretq_s32_u32(vldrwq_u32(pairs));
    const int32x4_t odd = vmovltq_s16(vreinterpretq_s16_s32(words));
    const int32_t up = (int32_t)shift + 16;
    const quad_t z = {vmulhq_s32(vshlq_r_s32(words, up), window.re),
                      vmulhq_s32(vshlq_r_s32(odd, up), window.im)};
#else
    const quad_t samples = load(pairs);
    const quad_t z = {vrmulhq_s32(vshlq_r_s32(samples.re, (int32_t)shift), window.re),
                      vrmulhq_s32(vshlq_r_s32(samples.im, (int32_t)shift), window.im)};
#endif
    return z;
}

/* Pairs from n on of a quarter of the transform, nothing in quarters behind those that there are.
 */
static inline quad_t pairs_of(const asc_sample_pair_t *pairs, uint32_t n, uint32_t quarter,
                              uint32_t quarters, uint32_t shift) {
    const quad_t none = {vdupq_n_s32(0), vdupq_n_s32(0)};
    const uint32_t place = n + quarter * (LENGTH / 4u);
    const asc_complex_t *windows = (const asc_complex_t *)(asc_frontend_window + 2u * place);
    return quarter < quarters ? windowed(pairs + place, load(windows), shift) : none;
}

/* Stores element `number` of four groups of four. */
static inline void scatter(asc_complex_t *z, uint32_t number, uint32x4_t groups, int32x4_t re,
                           int32x4_t im) {
    vstrwq_scatter_offset_s32(&z[number].re, groups, re);
    vstrwq_scatter_offset_s32(&z[number].im, groups, im);
}

/* Groups of four elements, of which the first `quarters` hold samples. */
static inline void groups(asc_complex_t *z, const asc_sample_pair_t *pairs, uint32_t first,
                          uint32_t end, uint32_t quarters, uint32_t shift) {
    const uint32_t unused_bits = asc_leading_zeros(LENGTH / 4u) + 1u;
    const uint32_t half = LENGTH / 2u * sizeof *z;
    const uint32x4_t offsets = {0, half, half / 2u, half / 2u * 3u};
    for (uint32_t n = first; n < end; n += LANES) {
        asc_complex_t *group = z + 4u * (asc_reverse_bits(n) >> unused_bits);
        const quad_t z0 = pairs_of(pairs, n, 0, quarters, shift);
        const quad_t z1 = pairs_of(pairs, n, 1, quarters, shift);
        const quad_t z2 = pairs_of(pairs, n, 2, quarters, shift);
        const quad_t z3 = pairs_of(pairs, n, 3, quarters, shift);
        const quad_t a = {vaddq_s32(z0.re, z2.re), vaddq_s32(z0.im, z2.im)};
        const quad_t b = subtract(z0, z2);
        const quad_t c = {vaddq_s32(z1.re, z3.re), vaddq_s32(z1.im, z3.im)};
        const quad_t d = subtract(z1, z3);
        scatter(group, 0, offsets, vaddq_s32(a.re, c.re), vaddq_s32(a.im, c.im));
        scatter(group, 1, offsets, vaddq_s32(b.re, d.im), vsubq_s32(b.im, d.re));
        scatter(group, 2, offsets, vsubq_s32(a.re, c.re), vsubq_s32(a.im, c.im));
        scatter(group, 3, offsets, vsubq_s32(b.re, d.im), vaddq_s32(b.im, d.re));
    }
}

/* Window, bit reversal and the first two layers, four groups of four at a time. */
static void first_layers(asc_complex_t *z, const asc_sample_pair_t *pairs, uint32_t shift) {
    const uint32_t whole = ASC_SPECTRUM_SAMPLES / 2u / (LENGTH / 4u);
    const uint32_t rest = ASC_SPECTRUM_SAMPLES / 2u % (LENGTH / 4u);
    groups(z, pairs, 0, rest, whole + (rest > 0u), shift);
    groups(z, pairs, rest, LENGTH / 4u, whole, shift);
}

#endif
