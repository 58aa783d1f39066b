/* SPDX-License-Identifier: Apache-2.0
 *
 * Loops of asc_frontend_steps.h for cores with the DSP extension, where compilers spill half of the
 * registers. The portable loops there say what they compute; the bits are the same.
 */
#ifndef ASC_FRONTEND_THUMB2_H
#define ASC_FRONTEND_THUMB2_H

#include "asc_fixed.h"
#include "asc_frontend.h"

/* clang-format off */

#if ASC_FRONTEND_THUMB2_MEL

ASC_FIXED_ASSERT_OFFSET(asc_frontend_ramp_t, start, 0);
ASC_FIXED_ASSERT_OFFSET(asc_frontend_ramp_t, step, 4);
ASC_FIXED_ASSERT_SIZE(asc_frontend_ramp_t, 8);
ASC_FIXED_ASSERT_OFFSET(asc_frontend_chord_t, base, 0);
ASC_FIXED_ASSERT_OFFSET(asc_frontend_chord_t, slope, 4);
ASC_FIXED_ASSERT_SIZE(asc_frontend_chord_t, 8);

#define MEL_REGISTERS(X) \
    X(edge, r1) X(ramp, r2) X(bin, r3) X(rest, r4) X(rest_high, r5) X(total, r6) X(total_high, r8) \
    X(high, r10) X(highest, r12) X(x, r0) X(y, lr) X(weight, r7) X(step, r9) X(bins_end, r11)

/* Adds a bin to the sum of the segment and by MULTIPLY, umull or umlal, to its sums of low and high
 * words that rise. */
#define ADD_BIN(MULTIPLY) \
    "ldrd x, y, [bin], #8\n" \
    "adds total, total, x\n" \
    "adc total_high, total_high, y\n" \
    MULTIPLY " rest, rest_high, x, weight\n" \
    MULTIPLY " high, highest, y, weight\n" \
    "add weight, weight, step\n" \
    "cmp bins_end, bin\n"

/* What the assembly below has on the stack, */
typedef struct {
    uint64_t floor; /* what each band gets besides */
    int32_t multiplier;
    int32_t offset; /* of units */
    const uint64_t *power;
    int32_t highest; /* the logarithm of a band of 2^63, Q20 */
    const asc_frontend_chord_t *chords;
    uintptr_t distance; /* from the edge where a band ends to its units, both of two bytes */
    const uint16_t *last;
    /* and in registers */
    const uint16_t *edge;
    const asc_frontend_ramp_t *ramp;
    const uint64_t *bin;
    uint64_t rest; /* the sum of the segment before, weighted by its ramp */
} asc_frontend_mel_t;

ASC_FIXED_ASSERT_OFFSET(asc_frontend_mel_t, floor, 0);
ASC_FIXED_ASSERT_OFFSET(asc_frontend_mel_t, multiplier, 8);
ASC_FIXED_ASSERT_OFFSET(asc_frontend_mel_t, offset, 12);
ASC_FIXED_ASSERT_OFFSET(asc_frontend_mel_t, power, 16);
ASC_FIXED_ASSERT_OFFSET(asc_frontend_mel_t, highest, 20);
ASC_FIXED_ASSERT_OFFSET(asc_frontend_mel_t, chords, 24);
ASC_FIXED_ASSERT_OFFSET(asc_frontend_mel_t, distance, 28);
ASC_FIXED_ASSERT_OFFSET(asc_frontend_mel_t, last, 32);
ASC_FIXED_ASSERT_OFFSET(asc_frontend_mel_t, edge, 36);
ASC_FIXED_ASSERT_OFFSET(asc_frontend_mel_t, ramp, 40);
ASC_FIXED_ASSERT_OFFSET(asc_frontend_mel_t, bin, 44);
ASC_FIXED_ASSERT_OFFSET(asc_frontend_mel_t, rest, 48);

/* Writes the units of all bands. */
static inline void bands_in_units(const asc_frontend_mel_t *mel) {
    register const asc_frontend_mel_t *r0 __asm__("r0") = mel;
    __asm__ volatile(
        MEL_REGISTERS(ASC_NAME_REGISTER)
        "push {r7, r9, r11}\n"
        "ldmia r0!, {r1-r6, r8, r10, r12}\n"
        "push {r1-r6, r8, r10, r12}\n"
        "ldmia r0, {r1-r5}\n"
        "1:\n"
        "ldrh bins_end, [edge, #2]!\n"
        "ldr x, [sp, #16]\n"
        "add bins_end, x, bins_end, lsl #3\n"
        "ldrd weight, step, [ramp, #8]!\n"
        "ldrd x, y, [sp]\n"
        "adds total, rest, x\n"
        "adc total_high, rest_high, y\n"
        "cmp bins_end, bin\n"
        "bls 6f\n"
        ADD_BIN("umull")
        "bls 3f\n"
        "2:\n"
        ADD_BIN("umlal")
        "bls 3f\n"
        ADD_BIN("umlal")
        "bls 3f\n"
        ADD_BIN("umlal")
        "bhi 2b\n"
        "3:\n"
        /* rest = what rises, with its fraction cut off; y, x = what falls and the rest before */
        "adds rest_high, rest_high, high\n"
        "adc highest, highest, #0\n"
        "lsr rest, rest, %[fraction]\n"
        "orr rest, rest, rest_high, lsl %[whole]\n"
        "lsr rest_high, rest_high, %[fraction]\n"
        "orr rest_high, rest_high, highest, lsl %[whole]\n"
        "subs x, total, rest\n"
        "sbcs y, total_high, rest_high\n"
        "beq 7f\n"
        "4:\n"
        /* y = mantissa: a shift by 32 leaves nothing */
        "clz high, y\n"
        "lsl y, y, high\n"
        "rsb highest, high, #32\n"
        "lsr x, x, highest\n"
        "orr y, y, x\n"
        "5:\n"
        "ldrd x, bins_end, [sp, #20]\n"
        "sub x, x, high, lsl #20\n"
        "ubfx high, y, #25, #6\n"
        "add bins_end, bins_end, high, lsl #3\n"
        "ldrd high, highest, [bins_end]\n"
        "ubfx y, y, #10, #15\n"
        "add x, x, high\n"
        "smlawb x, highest, y, x\n"
        "ldrd y, high, [sp, #8]\n"
        "smmlar x, x, y, high\n"
        "ssat x, #16, x\n"
        "ldrd y, high, [sp, #28]\n"
        "strh x, [edge, y]\n"
        "cmp edge, high\n"
        "blo 1b\n"
        "b 8f\n"
        /* a segment without bins */
        "6:\n"
        "mov rest, #0\n"
        "mov rest_high, #0\n"
        "mov x, total\n"
        "movs y, total_high\n"
        "bne 4b\n"
        /* a band below 2^32 */
        "7:\n"
        "clz high, x\n"
        "lsl y, x, high\n"
        "add high, high, #32\n"
        "b 5b\n"
        "8:\n"
        "add sp, #36\n"
        "pop {r7, r9, r11}\n"
        MEL_REGISTERS(ASC_FORGET_REGISTER)
        : "+r"(r0)
        : [fraction] "i"(ASC_FRONTEND_WEIGHT_BITS), [whole] "i"(32u - ASC_FRONTEND_WEIGHT_BITS)
        : "r1", "r2", "r3", "r4", "r5", "r6", "r8", "r10", "r12", "lr", "cc",
          "memory" ASC_CHANGED_R9);
}

#endif

#if ASC_FRONTEND_DELTAS

/* The assembly below reads these by their offsets. */
ASC_FIXED_ASSERT_OFFSET(asc_frontend_band_t, log_mel, 0);
ASC_FIXED_ASSERT_OFFSET(asc_frontend_band_t, delta, 8);
ASC_FIXED_ASSERT_SIZE(asc_frontend_band_t, 16);

typedef struct {
    const asc_frontend_band_t *end;
    asc_frontend_band_t *band;
    const int16_t *next;
    int8_t *codes;
    size_t stride;
    int32_t reciprocal;
    int32_t second_reciprocal;
    int32_t center;
    int32_t zero_point;
    int32_t twentieth;
    uint32_t minus_2_1;
} asc_frontend_codes_t;

ASC_FIXED_ASSERT_OFFSET(asc_frontend_codes_t, end, 0);
ASC_FIXED_ASSERT_OFFSET(asc_frontend_codes_t, band, 4);
ASC_FIXED_ASSERT_OFFSET(asc_frontend_codes_t, next, 8);
ASC_FIXED_ASSERT_OFFSET(asc_frontend_codes_t, codes, 12);
ASC_FIXED_ASSERT_OFFSET(asc_frontend_codes_t, stride, 16);
ASC_FIXED_ASSERT_OFFSET(asc_frontend_codes_t, reciprocal, 20);
ASC_FIXED_ASSERT_OFFSET(asc_frontend_codes_t, second_reciprocal, 24);
ASC_FIXED_ASSERT_OFFSET(asc_frontend_codes_t, center, 28);
ASC_FIXED_ASSERT_OFFSET(asc_frontend_codes_t, zero_point, 32);
ASC_FIXED_ASSERT_OFFSET(asc_frontend_codes_t, twentieth, 36);
ASC_FIXED_ASSERT_OFFSET(asc_frontend_codes_t, minus_2_1, 40);

#define CODE_REGISTERS(X) \
    X(x, r1) X(band, r2) X(next, r3) X(codes, r4) X(stride, r5) X(reciprocal, r6) X(second, r7) \
    X(center, r8) X(zero_point, r9) X(twentieth, r10) X(minus_2_1, r11) X(older, r12) X(newer, lr) X(y, r0)

/* RESULT = ten times the delta two frames back of the past and NEXT. */
#define DELTA(RESULT, NEXT) \
    "lsl " RESULT ", " NEXT ", #1\n" \
    "smlad " RESULT ", older, minus_2_1, " RESULT "\n" \
    "add " RESULT ", " RESULT ", newer, asr #16\n"

/* Appends NEXT to the past. */
#define APPEND(NEXT) \
    "lsr older, older, #16\n" \
    "orr older, older, newer, lsl #16\n" \
    "lsr newer, newer, #16\n" \
    "orr newer, newer, " NEXT ", lsl #16\n" \
    "strd older, newer, [band], #8\n"

/* Stores the code of a value, which it changes. */
#define STORE_CODE(VALUE, RECIPROCAL, ZERO, OFFSET) \
    "smmlar " VALUE ", " VALUE ", " RECIPROCAL ", " ZERO "\n" \
    "ssat " VALUE ", #8, " VALUE "\n" \
    "strb " VALUE ", [codes, " OFFSET "]\n"

static inline void write_codes(int8_t *codes, size_t stride, asc_frontend_band_t *band,
                               const int16_t *next, const asc_frontend_requantization_t *to) {
    const asc_frontend_codes_t values = {
        band + ASC_FRONTEND_N_MELS, band, next, codes, stride, to->reciprocal,
        to->second_reciprocal, to->center, to->zero_point, ASC_FRONTEND_TWENTIETH, 0xFFFFFFFEu};
    register const asc_frontend_codes_t *r0 __asm__("r0") = &values;
    __asm__ volatile(
        CODE_REGISTERS(ASC_NAME_REGISTER)
        "push {r7, r9, r11}\n"
        "ldmia r0, {r1-r11}\n"
        "push {r1}\n"
        /* Each turn begins with the carry set. */
        "cmp band, band\n"
        "1:\n"
        "ldrd older, newer, [band]\n"
        "ldrsh y, [next], #2\n"
        "sxth x, older\n"
        STORE_CODE("x", "reciprocal", "center", "#0")
        /* x = the first delta: the carry makes 2 x + 1 of x */
        DELTA("x", "y")
        "adc x, x, x\n"
        "smmulr x, x, twentieth\n"
        APPEND("y")
        "ldrd older, newer, [band]\n"
        "sxth y, newer\n"
        STORE_CODE("y", "reciprocal", "zero_point", "#1")
        DELTA("y", "x")
        STORE_CODE("y", "second", "zero_point", "#2")
        APPEND("x")
        "ldr x, [sp]\n"
        "add codes, codes, stride\n"
        "cmp x, band\n"
        "bhi 1b\n"
        "pop {r1, r7, r9, r11}\n"
        CODE_REGISTERS(ASC_FORGET_REGISTER)
        : "+r"(r0)
        :
        : "r1", "r2", "r3", "r4", "r5", "r6", "r8", "r10", "r12", "lr", "cc",
          "memory" ASC_CHANGED_R9);
}

#endif

/* clang-format on */

#endif
