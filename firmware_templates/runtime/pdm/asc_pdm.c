/* SPDX-License-Identifier: Apache-2.0 */
#include "asc_pdm.h"

#include <string.h>

#if (-1 >> 1) != -1
#error "fixed-point arithmetic needs arithmetic right shifts"
#endif

#define CIC_BYTES (ASC_PDM_BYTES / 4u) /* of the microphone for each sample of the CIC filter */

/* A sum of products with values of more than 16 bits: of their upper parts, and of their lower
 * ASC_PDM_SPLIT bits. So a core needs no products of 64 bits, and nothing is rounded before the
 * end. No part overflows: asc_tiny/pdm/design.py has checked the coefficients. */
typedef struct {
    int32_t upper;
    int32_t lower;
} sum_t;

static inline void add_product(sum_t *sum, int32_t coefficient, int32_t value) {
    sum->upper += coefficient * (value >> ASC_PDM_SPLIT);
    sum->lower += coefficient * (value & ((1 << ASC_PDM_SPLIT) - 1));
}

/* Returns the sum divided by 2 to the power of `shift`, halves rounded up. */
static inline int32_t quotient(sum_t sum, uint32_t shift) {
    const int32_t lower = (sum.lower + (int32_t)(1u << (shift - 1u))) >> ASC_PDM_SPLIT;
    return (sum.upper + lower) >> (shift - ASC_PDM_SPLIT);
}

/* Filters, coefficients from the outside to the middle; `taps` has 4 * count - 1 values. */
static inline int32_t half_band(const int32_t *coefficients, uint32_t count, const int32_t *taps) {
    const int32_t *oldest = taps;
    const int32_t *newest = taps + 4u * count - 2u;
    sum_t sum = {0, 0};
    for (uint32_t i = 0; i < count; i++) {
        add_product(&sum, coefficients[i], *oldest + *newest);
        oldest += 2;
        newest -= 2;
    }
    /* The middle, times a half */
    sum.upper += taps[2u * count - 1u] * (1 << (ASC_PDM_COEFFICIENT_BITS - 1 - ASC_PDM_SPLIT));
    return quotient(sum, ASC_PDM_COEFFICIENT_BITS);
}

/* Adds a sample to the last `size` ones. Returns the place of the next. */
static inline uint32_t keep(int32_t *samples, uint32_t size, uint32_t place, int32_t sample) {
    samples[place] = sample;
    samples[place + size] = sample;
    return place + 1u == size ? 0u : place + 1u;
}

static int16_t corrected(asc_pdm_t *pdm, int32_t sample) {
    int32_t *last = pdm->last;
    sum_t sum = {0, 0};
    memmove(last, last + 1, 4u * sizeof *last);
    last[4] = sample;
    add_product(&sum, asc_pdm_correction[0], last[0] + last[4]);
    add_product(&sum, asc_pdm_correction[1], last[1] + last[3]);
    add_product(&sum, asc_pdm_correction[2], last[2]);
    const int32_t value = quotient(sum, ASC_PDM_RESULT_SHIFT);
    return (int16_t)(value > INT16_MAX ? INT16_MAX : value < INT16_MIN ? INT16_MIN : value);
}

/* Takes a sample of the CIC filter, of which every fourth makes one that comes out. */
static size_t take(asc_pdm_t *pdm, int32_t sample, int16_t *out) {
    asc_pdm_first_t *first = &pdm->first;
    asc_pdm_second_t *second = &pdm->second;
    first->next = keep(first->samples, 4u * ASC_PDM_FIRST, first->next, sample);
    if (first->next % 2u != 0u) {
        return 0;
    }
    /* Of the samples kept, the oldest is one more than the filter takes. */
    const int32_t halved =
        half_band(asc_pdm_first_taps, ASC_PDM_FIRST, first->samples + first->next + 1u);
    second->next = keep(second->samples, 4u * ASC_PDM_SECOND, second->next, halved);
    if (second->next % 2u != 0u) {
        return 0;
    }
    *out = corrected(
        pdm, half_band(asc_pdm_second_taps, ASC_PDM_SECOND, second->samples + second->next + 1u));
    return 1;
}

/* The integrators after 8 more bits for each byte: each one is a sum of those before it, times
 * binomial coefficients, and of the bits, which a table has. Sums may wrap: their differences are
 * right. */
static void integrate(uint32_t *sums, const uint8_t *bits, size_t first, size_t end) {
    uint32_t a = sums[0];
    uint32_t b = sums[1];
    uint32_t c = sums[2];
    uint32_t d = sums[3];
    for (size_t i = first; i < end; i++) {
        const uint32_t table = asc_pdm_bits[bits[i ^ ASC_PDM_SWAP]];
        d += 8u * (c + 15u * a) + 36u * b + (table >> 17);
        c += 8u * b + 36u * a + (table >> 10 & 0x7Fu);
        b += 8u * a + (table >> 4 & 0x3Fu);
        a += table & 0xFu;
    }
    sums[0] = a;
    sums[1] = b;
    sums[2] = c;
    sums[3] = d;
}

/* Returns a sample of the CIC filter at its scale. */
static int32_t comb(asc_pdm_t *pdm) {
    uint32_t value = pdm->integrators[3];
    for (uint32_t i = 0; i < 4; i++) {
        const uint32_t before = pdm->combs[i];
        pdm->combs[i] = value;
        value -= before;
    }
    /* Ones and zeros become 1 and -1. */
    const int32_t sample = (int32_t)(2u * value - ASC_PDM_CIC_GAIN);
#if ASC_PDM_CIC_SHIFT >= 0
    return sample * (1 << ASC_PDM_CIC_SHIFT);
#else
    return (sample + (1 << (-ASC_PDM_CIC_SHIFT - 1))) >> -ASC_PDM_CIC_SHIFT;
#endif
}

size_t asc_pdm(asc_pdm_t *pdm, const uint8_t *bits, size_t count, int16_t *out) {
    size_t done = 0;
    for (size_t i = 0; i < count;) {
        const size_t missing = CIC_BYTES - pdm->bytes;
        const size_t part = count - i < missing ? count - i : missing;
        integrate(pdm->integrators, bits, i, i + part);
        i += part;
        pdm->bytes += (uint32_t)part;
        if (pdm->bytes == CIC_BYTES) {
            pdm->bytes = 0;
            done += take(pdm, comb(pdm), out + done);
        }
    }
    return done;
}

/* Five samples of the CIC filter forget what was before them; the filters behind it begin anew. */
void asc_pdm_init(asc_pdm_t *pdm) {
    static const uint8_t silence[ASC_PDM_SWAP + 1u] = {ASC_PDM_SILENCE};
    memset(pdm, 0, sizeof *pdm);
    for (uint32_t i = 0; i < 5u * CIC_BYTES; i++) {
        integrate(pdm->integrators, silence, ASC_PDM_SWAP, ASC_PDM_SWAP + 1u);
        if ((i + 1u) % CIC_BYTES == 0u) {
            (void)comb(pdm);
        }
    }
}
