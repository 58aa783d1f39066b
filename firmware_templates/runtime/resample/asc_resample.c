/* SPDX-License-Identifier: Apache-2.0 */
#include "asc_resample.h"

#include <string.h>

#include "asc_fixed.h"

#define SIZE (ASC_RESAMPLE_TAPS - 1u + ASC_RESAMPLE_CHUNK)

/* Two samples in a word, the first in the low half. */
static uint32_t pair(const int16_t *samples) {
#if ASC_HAS_DSP
    uint32_t word; /* these cores are little-endian and load it from any address */
    memcpy(&word, samples, sizeof word);
    return word;
#else
    return (uint16_t)samples[0] | (uint32_t)(uint16_t)samples[1] << 16;
#endif
}

/* Adds the products of two samples. */
static int32_t add_two(int32_t sum, const int32_t **coefficients, const int16_t *samples) {
    const uint64_t two = asc_load_two(coefficients);
    const uint32_t word = pair(samples);
    sum = asc_add_low_product(sum, (int32_t)(two & 0xFFFFFFFFu), word);
    return asc_add_high_product(sum, (int32_t)(two >> 32), word);
}

/* No sum overflows: the generator has checked the coefficients' for full-scale samples. */
static int16_t filtered(const int16_t *samples, const int32_t *coefficients) {
    int32_t sum = 1 << (ASC_RESAMPLE_RESULT_SHIFT - 1);
    for (uint32_t tap = 0; tap < ASC_RESAMPLE_TAPS; tap += 4) {
        sum = add_two(sum, &coefficients, samples + tap);
        sum = add_two(sum, &coefficients, samples + tap + 2);
    }
    return (int16_t)asc_saturate16(sum >> ASC_RESAMPLE_RESULT_SHIFT);
}

void asc_resample_init(asc_resample_t *resampler) {
    memset(resampler, 0, sizeof *resampler);
    resampler->filled = ASC_RESAMPLE_TAPS - 1u;
}

static void forget(asc_resample_t *resampler) {
    resampler->filled -= resampler->start;
    memmove(resampler->samples, resampler->samples + resampler->start,
            resampler->filled * sizeof resampler->samples[0]);
    resampler->start = 0;
}

static void advance(asc_resample_t *resampler) {
    resampler->start += ASC_RESAMPLE_DOWN / ASC_RESAMPLE_UP;
    resampler->phase += ASC_RESAMPLE_DOWN % ASC_RESAMPLE_UP;
    if (resampler->phase >= ASC_RESAMPLE_UP) {
        resampler->phase -= ASC_RESAMPLE_UP;
        resampler->start++;
    }
}

size_t asc_resample(asc_resample_t *resampler, const int16_t *in, size_t count, int16_t *out) {
    size_t done = 0;
    while (count > 0) {
        if (resampler->filled == SIZE) {
            forget(resampler);
        }
        const size_t room = SIZE - resampler->filled;
        const size_t part = count < room ? count : room;
        memcpy(resampler->samples + resampler->filled, in, part * sizeof *in);
        resampler->filled += (uint32_t)part;
        in += part;
        count -= part;
        for (; resampler->start + ASC_RESAMPLE_TAPS <= resampler->filled; advance(resampler)) {
            out[done++] = filtered(resampler->samples + resampler->start,
                                   asc_resample_coefficients[resampler->phase]);
        }
    }
    return done;
}
