/* SPDX-License-Identifier: Apache-2.0
 *
 * From 16-bit samples to the first two layers of the transform, for cores that multiply to 32 bits
 * only; see asc_spectrum_thumb1.h.
 */
#ifndef ASC_SPECTRUM_SAMPLES_THUMB1_H
#define ASC_SPECTRUM_SAMPLES_THUMB1_H

#include "asc_fixed.h"
#include "asc_spectrum.h"

#define LENGTH ASC_SPECTRUM_LENGTH

/* clang-format off */

/* r1 = the samples in a word, shifted. */
#define EVEN_SAMPLE(WORD) \
    "mov r1, " WORD "\n" \
    "lsls r1, r7\n" \
    "sxth r1, r1\n"
#define ODD_SAMPLE(WORD) \
    "asrs r1, " WORD ", #16\n" \
    "lsls r1, r7\n"

/* WEIGHT times r1, / 2^16, rounded down. Changes r6. */
#define WINDOWED(WEIGHT) \
    "uxth r6, " WEIGHT "\n" \
    "lsrs " WEIGHT ", " WEIGHT ", #16\n" \
    "muls " WEIGHT ", r1, " WEIGHT "\n" \
    "muls r6, r1, r6\n" \
    "asrs r6, r6, #16\n" \
    "adds " WEIGHT ", " WEIGHT ", r6\n"

/* LESS and WEIGHT times a sample each of the words in r2 and r3. The windows of both add up to 1, and
 * WEIGHT is the cosine by which they differ from a half. Half of a window is in r8. */
#define TWO_WINDOWED(SAMPLE, LESS, WEIGHT) \
    "mov r6, r8\n" \
    "asrs " WEIGHT ", " WEIGHT ", #2\n" \
    "subs " LESS ", r6, " WEIGHT "\n" \
    "adds " WEIGHT ", r6, " WEIGHT "\n" \
    SAMPLE("r2") \
    WINDOWED(LESS) \
    SAMPLE("r3") \
    WINDOWED(WEIGHT)

/* r0 = words behind the current one by quarters of a frame, up to 7, in bytes. */
#define WORDS_BEHIND(QUARTERS) \
    "movs r0, %[part] * " #QUARTERS "\n" \
    "lsls r0, r0, #7\n" \
    "add r0, r10\n"

/* Hann window, bit reversal and the first two layers. r10 points to words, r11 and r12 up and down the
 * table of cosines; on the stack are z, the bytes of a group of four elements from there, which count
 * in reverse, and the shift. */
static inline void first_layers(asc_complex_t *z, const asc_sample_pair_t *pairs, uint32_t shift) {
    register asc_complex_t *r0 __asm__("r0") = z;
    register const asc_sample_pair_t *r1 __asm__("r1") = pairs;
    register uint32_t r2 __asm__("r2") = shift;
    register const int32_t *r3 __asm__("r3") = asc_frontend_cosine;
    __asm__ volatile(
        ".syntax unified\n"
        "push {r2, r7}\n"
        "movs r4, #0\n"
        "push {r0, r4}\n"
        "mov r10, r1\n"
        "mov r11, r3\n"
        "movs r4, %[part]\n"
        "lsls r4, r4, #8\n"
        "adds r3, r3, r4\n"
        "subs r3, r3, #4\n"
        "mov r12, r3\n"
        "movs r4, #1\n"
        "lsls r4, r4, #29\n"
        "mov r8, r4\n"
        "mov r7, r2\n"
        "1:\n"
        /* the first and the third word: sums to the stack */
        "mov r0, r10\n"
        "ldr r2, [r0]\n"
        WORDS_BEHIND(2)
        "ldr r3, [r0]\n"
        "mov r0, r11\n"
        "ldmia r0!, {r4, r5}\n"
        "mov r11, r0\n"
        TWO_WINDOWED(EVEN_SAMPLE, "r0", "r4")
        "push {r0, r4}\n"
        TWO_WINDOWED(ODD_SAMPLE, "r0", "r5")
        "push {r0, r5}\n"
        /* the fourth and the second word */
        WORDS_BEHIND(3)
        "ldr r2, [r0]\n"
        WORDS_BEHIND(1)
        "ldr r3, [r0]\n"
        "mov r0, r10\n"
        "adds r0, r0, #4\n"
        "mov r10, r0\n"
        "mov r0, r12\n"
        "ldr r4, [r0, #4]\n"
        "ldr r5, [r0]\n"
        "subs r0, r0, #8\n"
        "mov r12, r0\n"
        TWO_WINDOWED(EVEN_SAMPLE, "r0", "r4")
        "mov lr, r0\n"
        TWO_WINDOWED(ODD_SAMPLE, "r0", "r5")
        /* r7 = group; real parts: r2, r3 = sum and difference of the first and third word, r4, r6 =
         * those of the second and fourth; imaginary parts: on the stack, r5, r0 */
        "mov r2, lr\n"
        "subs r6, r4, r2\n"
        "adds r4, r4, r2\n"
        "subs r7, r5, r0\n"
        "adds r5, r5, r0\n"
        "mov lr, r7\n"
        "ldr r7, [sp, #16]\n"
        "ldr r0, [sp, #20]\n"
        "adds r7, r7, r0\n"
        "ldr r2, [sp, #8]\n"
        "ldr r3, [sp, #12]\n"
        "adds r0, r2, r3\n"
        "subs r2, r2, r3\n"
        /* z0.re, z2.re; z1.im, z3.im less the imaginary part */
        "adds r1, r0, r4\n"
        "subs r0, r0, r4\n"
        "str r1, [r7]\n"
        "str r0, [r7, #16]\n"
        "ldr r0, [sp]\n"
        "ldr r1, [sp, #4]\n"
        "adds r3, r0, r1\n"
        "subs r0, r0, r1\n"
        "adds r1, r3, r5\n"
        "subs r3, r3, r5\n"
        "str r1, [r7, #4]\n"
        "str r3, [r7, #20]\n"
        "mov r4, lr\n"
        "adds r1, r2, r4\n"
        "subs r2, r2, r4\n"
        "str r1, [r7, #8]\n"
        "str r2, [r7, #24]\n"
        "subs r1, r0, r6\n"
        "adds r0, r0, r6\n"
        "str r1, [r7, #12]\n"
        "str r0, [r7, #28]\n"
        "add sp, #16\n"
        /* the next group: a bit that becomes 0 carries to the next lower one */
        "ldr r0, [sp, #4]\n"
        "movs r1, %[part]\n"
        "lsls r1, r1, #10\n"
        "2:\n"
        "lsrs r1, r1, #1\n"
        "eors r0, r1\n"
        "tst r0, r1\n"
        "beq 2b\n"
        "str r0, [sp, #4]\n"
        "ldr r7, [sp, #8]\n"
        "cmp r0, #16\n"
        "beq 3f\n"
        "b 1b\n"
        "3:\n"
        "pop {r0, r4}\n"
        "pop {r2, r7}\n"
        : "+r"(r0), "+r"(r1), "+r"(r2), "+r"(r3)
        : [part] "i"(LENGTH / 128u)
        : "r4", "r5", "r6", "r8", "r10", "r11", "r12", "lr", "cc", "memory");
}

/* clang-format on */

#endif
