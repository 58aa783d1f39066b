/* SPDX-License-Identifier: Apache-2.0 */
#include "asc_selftest.h"

#include <string.h>

#include "asc_selftest_expected.h"

#define WIDTH (ASC_FRONTEND_COLUMNS * ASC_FRONTEND_CHANNELS) /* of a row of the network's input */

/* A continuous front end knows no clips: zeros stand in for what comes after one. */
#if ASC_FRONTEND_CONTINUOUS
#define SAMPLES (ASC_FRONTEND_CLIP_SAMPLES + ASC_FRONTEND_LEAD)
#else
#define SAMPLES ASC_FRONTEND_CLIP_SAMPLES
#endif

/* Sample n of the clip: noise of full scale that loses 6 dB at every level, then zeros. */
static asc_sample_t sample_at(uint32_t n, uint32_t *noise) {
    const uint32_t level = n / (ASC_FRONTEND_CLIP_SAMPLES / ASC_SELFTEST_LEVELS + 1u);
    if (n >= ASC_FRONTEND_CLIP_SAMPLES) {
        return 0;
    }
    *noise = *noise * 1664525u + 1013904223u;
#if ASC_FRONTEND_SAMPLE_BITS == 16
    return (asc_sample_t)(((int32_t)*noise >> level) >> 16);
#else
    return ((int32_t)*noise >> level) & ~0xFF;
#endif
}

/* Writes the clip's features to the network's input. */
static void compute_features(asc_t *classifier) {
    int8_t *const input = asc_net_input(classifier->arena);
    uint32_t noise = 1;
    uint32_t column = 0;
    for (uint32_t n = 0; n < SAMPLES; n++) {
        const asc_sample_t sample = sample_at(n, &noise);
        (void)asc_frontend_push(&classifier->frontend, &sample, 1);
        while (column < ASC_FRONTEND_COLUMNS &&
               asc_frontend_pop(&classifier->frontend, input + column * ASC_FRONTEND_CHANNELS,
                                WIDTH)) {
            column++;
        }
    }
}

/* FNV-1a: any code that differs changes it. */
static uint32_t checksum(const int8_t *codes, size_t count) {
    uint32_t value = 0x811C9DC5u;
    for (size_t i = 0; i < count; i++) {
        value = (value ^ (uint8_t)codes[i]) * 0x01000193u;
    }
    return value;
}

static int are_expected(const int8_t *scores) {
#if ASC_SELFTEST_HAS_SCORES
    static const int8_t expected[ASC_NET_OUTPUT_SIZE] = ASC_SELFTEST_SCORES;
    return memcmp(scores, expected, sizeof expected) == 0;
#else
    (void)scores;
    return 1;
#endif
}

int asc_selftest(asc_t *classifier) {
    int status = asc_init(classifier);
    if (status != ASC_NET_OK) {
        return status;
    }
    compute_features(classifier);
    if (checksum(asc_net_input(classifier->arena), ASC_NET_INPUT_SIZE) != ASC_SELFTEST_CHECKSUM) {
        return ASC_SELFTEST_FAILED_FEATURES;
    }
    status = asc_net_run(classifier->arena);
    if (status != ASC_NET_OK) {
        return status;
    }
    return are_expected(asc_net_output(classifier->arena)) ? ASC_SELFTEST_PASSED
                                                           : ASC_SELFTEST_FAILED_SCORES;
}
