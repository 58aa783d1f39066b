/* SPDX-License-Identifier: Apache-2.0
 *
 * From 16-bit samples to the first two layers of the transform, for Cortex-M3 and larger cores; see
 * asc_spectrum_thumb2.h.
 */
#ifndef ASC_SPECTRUM_SAMPLES_THUMB2_H
#define ASC_SPECTRUM_SAMPLES_THUMB2_H

#include "asc_fixed.h"
#include "asc_spectrum.h"

#define LENGTH ASC_SPECTRUM_LENGTH

/* clang-format off */

/* WEIGHT times the samples of the word in u, scaled, / 2^16, rounded down; changes t and u. */
#if ASC_HAS_DSP
#define WINDOWED(RE, IM) \
    "smulbb t, u, scale\n" \
    "smulwb " RE ", " RE ", t\n" \
    "smultb u, u, scale\n" \
    "smulwb " IM ", " IM ", u\n"
#define ADD_WINDOWED(RE, IM, MORE_RE, MORE_IM) \
    "smulbb t, u, scale\n" \
    "smlawb " RE ", " RE ", t, " MORE_RE "\n" \
    "smultb u, u, scale\n" \
    "smlawb " IM ", " IM ", u, " MORE_IM "\n"
#define ADD_HALF "uxtah u, u, t\n"
#else
#define WINDOWED(RE, IM) \
    "lsl t, u, scale\n" \
    "lsl t, t, #16\n" \
    "smull t, " RE ", " RE ", t\n" \
    "bfc u, #0, #16\n" \
    "lsl u, u, scale\n" \
    "smull u, " IM ", " IM ", u\n"
#define ADD_WINDOWED(RE, IM, MORE_RE, MORE_IM) \
    WINDOWED(RE, IM) \
    "add " RE ", " RE ", " MORE_RE "\n" \
    "add " IM ", " IM ", " MORE_IM "\n"
#define ADD_HALF \
    "uxth t, t\n" \
    "add u, u, t\n"
#endif

/* What two words, HALF a frame apart, are after the window and the first layer. Loads what the window
 * takes from a table of cosines and the words, the one in front last. The cosine of the sample in
 * front is less than half of the window by FRONT, add or sub, and that of the other more by OTHER. */
#define FIRST_LAYER(TABLE, OTHER_WORD, OTHER, FRONT_WORD, FRONT, S_RE, S_IM, D_RE, D_IM) \
    "mov t, #0x20000000\n" \
    OTHER_WORD \
    TABLE \
    OTHER " " D_RE ", t, " S_RE ", asr #2\n" \
    FRONT " " S_RE ", t, " S_RE ", asr #2\n" \
    OTHER " " D_IM ", t, " S_IM ", asr #2\n" \
    FRONT " " S_IM ", t, " S_IM ", asr #2\n" \
    WINDOWED(D_RE, D_IM) \
    FRONT_WORD \
    ADD_WINDOWED(S_RE, S_IM, D_RE, D_IM) \
    "sub " D_RE ", " S_RE ", " D_RE ", lsl #1\n" \
    "sub " D_IM ", " S_IM ", " D_IM ", lsl #1\n"

/* Loads the word some quarters of a frame behind: the longest frame is longer than an instruction
 * reaches. */
#if LENGTH <= 1024
#define WORD_BEHIND(BYTES) "ldr u, [words, %[" BYTES "]]\n"
#else
#define WORD_BEHIND(BYTES) \
    "add u, words, %[" BYTES "]\n" \
    "ldr u, [u]\n"
#endif

/* To the end of the table, which is longer than an instruction reaches in the longest frame, too. */
#if LENGTH <= 2048
#define LAST_COSINE "add backward, forward, %[sines]\n"
#else
#define LAST_COSINE \
    "add backward, forward, %[sines] + 4\n" \
    "sub backward, backward, #4\n"
#endif

#define WINDOW_REGISTERS(X) \
    X(words, r0) X(forward, r1) X(scale, r2) X(backward, r3) X(a_re, r4) X(a_im, r5) X(b_re, r6) \
    X(b_im, r8) X(c_re, r10) X(c_im, r12) X(d_re, r7) X(d_im, r9) X(t, r11) X(u, lr)

/* Hann window, bit reversal and the first two layers. The lower half of `scale` shifts samples, by a
 * product or as it is. The upper one counts groups of four elements: reversed, the count is the
 * group's bytes from `below` on, of which the ones above the count add up to 31. */
static inline void first_layers(asc_complex_t *z, const asc_sample_pair_t *pairs, uint32_t shift) {
    register const asc_sample_pair_t *r0 __asm__("r0") = pairs;
    register const int32_t *r1 __asm__("r1") = asc_frontend_cosine;
    register uint32_t r2 __asm__("r2") =
        (ASC_HAS_DSP ? UINT32_C(1) << shift : shift) | UINT32_C(31) << 27;
    register uintptr_t r3 __asm__("r3") = (uintptr_t)z - 31u; /* below */
    __asm__ volatile(
        WINDOW_REGISTERS(ASC_NAME_REGISTER)
        "push {r3, r7, r9, r11}\n"
        LAST_COSINE
        "1:\n"
        /* c = z1 + z3, d = z1 - z3 */
        FIRST_LAYER("ldrd c_im, c_re, [backward], #-8\n",
                    WORD_BEHIND("three"), "sub",
                    WORD_BEHIND("one"), "add", "c_re", "c_im", "d_re", "d_im")
        /* a = z0 + z2, b = z0 - z2 */
        FIRST_LAYER("ldrd a_re, a_im, [forward], #8\n",
                    WORD_BEHIND("two"), "add",
                    "ldr u, [words], #4\n", "sub", "a_re", "a_im", "b_re", "b_im")
        "ldr u, [sp]\n"
        "rbit t, scale\n"
        ADD_HALF
        "add t, a_re, c_re\n"
        "sub a_re, a_re, c_re\n"
        "add c_re, a_im, c_im\n"
        "sub a_im, a_im, c_im\n"
        "strd t, c_re, [u]\n"
        "strd a_re, a_im, [u, #16]\n"
        "add t, b_re, d_im\n"
        "sub b_re, b_re, d_im\n"
        "sub c_re, b_im, d_re\n"
        "add b_im, b_im, d_re\n"
        "strd t, c_re, [u, #8]\n"
        "strd b_re, b_im, [u, #24]\n"
        "adds scale, scale, %[next]\n"
        "bcc 1b\n"
        "pop {r3, r7, r9, r11}\n"
        WINDOW_REGISTERS(ASC_FORGET_REGISTER)
        : "+r"(r0), "+r"(r1), "+r"(r2), "+r"(r3)
        : [one] "i"(LENGTH), [two] "i"(2 * LENGTH), [three] "i"(3 * LENGTH),
          [next] "i"((UINT32_C(1) << 27) / (LENGTH / 4u)), [sines] "i"(ASC_FRONTEND_N_FFT - 4u)
        : "r4", "r5", "r6", "r8", "r10", "r12", "lr", "cc", "memory" ASC_CHANGED_R9);
}

/* clang-format on */

#endif
