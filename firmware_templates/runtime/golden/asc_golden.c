/* SPDX-License-Identifier: Apache-2.0 */
#include "asc_golden.h"

#include <string.h>

#include "asc_ends.h"
#include "asc_golden_expected.h"
#include "asc_net.h"

#if ASC_GOLDEN_HASH != ASC_NET_HASH
#error "asc_golden_expected.h is of another model than asc_net.h: generate both anew"
#endif

/* The smallest golden value of a type, and how many follow it. Whole numbers of 32 and 64 bits may
 * be places in a table: 0 and 1 alone are in each. Numbers of floating point are steps. */
typedef struct {
    int32_t smallest;
    uint32_t count;
} values_t;

static values_t values_of(uint32_t type) {
    switch (type) {
    case ASC_END_INT8:
        return (values_t){-128, 256};
    case ASC_END_UINT8:
        return (values_t){0, 256};
    case ASC_END_INT16:
        return (values_t){-32768, 65536};
    case ASC_END_FLOAT32:
        return (values_t){-1024, 2048};
    default:
        return (values_t){0, 2};
    }
}

/* A hash of 32 bits: C. Wellons, "Prospecting for Hash Functions", lowbias32. */
static uint32_t hashed(uint32_t x) {
    x = (x ^ (x >> 16)) * 0x7FEB352Du;
    x = (x ^ (x >> 15)) * 0x846CA68Bu;
    return x ^ (x >> 16);
}

/* The number of an element's value among those of its type */
static uint32_t chosen(uint32_t golden, uint32_t seed, uint32_t element, uint32_t count) {
    if (golden < ASC_GOLDEN_RANDOM) {
        return hashed(element ^ seed) % count;
    }
    return golden == ASC_GOLDEN_RANDOM ? 0 : count - 1u;
}

static void put(uint8_t *to, uint32_t type, int32_t value, uint32_t input) {
#if ASC_ENDS_FLOAT
    static const float steps[ASC_ENDS_INPUTS] = ASC_GOLDEN_STEPS;
    if (type == ASC_END_FLOAT32) {
        const float real = steps[input] * (float)value;
        memcpy(to, &real, sizeof real);
        return;
    }
#else
    (void)input;
#endif
    const int16_t half = (int16_t)value;
    const int64_t twice = value;
    switch (type) {
    case ASC_END_INT16:
        memcpy(to, &half, sizeof half);
        break;
    case ASC_END_INT32:
        memcpy(to, &value, sizeof value);
        break;
    case ASC_END_INT64:
        memcpy(to, &twice, sizeof twice);
        break;
    default:
        *to = (uint8_t)value;
        break;
    }
}

const char *asc_golden_name(uint32_t number) {
    static const char *const names[ASC_GOLDEN_COUNT] = {"random 1", "random 2", "random 3",
                                                        "random 4", "random 5", "random 6",
                                                        "smallest", "largest"};
    return names[number];
}

void asc_golden_write(int8_t *arena, uint32_t number) {
    for (uint32_t input = 0; input < ASC_ENDS_INPUTS; input++) {
        const asc_end_t *end = &asc_ends_inputs[input];
        const values_t values = values_of(end->type);
        const uint32_t seed = hashed((number << 16) + input + 1u);
        const uint32_t width = end->bytes / end->size;
        uint8_t *to = asc_ends_input(arena, input);
        for (uint32_t i = 0; i < end->size; i++, to += width) {
            const uint32_t place = chosen(number, seed, i, values.count);
            put(to, end->type, values.smallest + (int32_t)place, input);
        }
    }
}

#if ASC_GOLDEN_IS_CHECKED
/* FNV-1a over the bytes of all outputs */
static uint32_t checksum(int8_t *arena) {
    uint32_t sum = 0x811C9DC5u;
    for (uint32_t output = 0; output < ASC_ENDS_OUTPUTS; output++) {
        const uint8_t *bytes = asc_ends_output(arena, output);
        for (uint32_t i = 0; i < asc_ends_outputs[output].bytes; i++) {
            sum = (sum ^ bytes[i]) * 0x01000193u;
        }
    }
    return sum;
}

int asc_golden_check(int8_t *arena, uint32_t number) {
    static const uint32_t expected[ASC_GOLDEN_COUNT] = ASC_GOLDEN_CHECKSUMS;
    return checksum(arena) == expected[number] ? ASC_GOLDEN_PASSED : ASC_GOLDEN_FAILED;
}
#else
int asc_golden_check(int8_t *arena, uint32_t number) {
    (void)arena;
    (void)number;
    return ASC_GOLDEN_UNCHECKED;
}
#endif
