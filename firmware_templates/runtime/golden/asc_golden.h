/* SPDX-License-Identifier: Apache-2.0
 *
 * Golden inputs of a network, which the firmware makes itself, and what they must lead to: random
 * values, then the smallest and the largest of each type.
 *
 *     ASC_NET_ALIGNED static int8_t arena[ASC_NET_ARENA_SIZE];
 *     if (asc_net_init(arena) != ASC_NET_OK) { stop(); }
 *     for (uint32_t number = 0; number < ASC_GOLDEN_COUNT; number++) {
 *         asc_golden_write(arena, number);
 *         if (asc_net_run(arena) != ASC_NET_OK) { stop(); }
 *         if (asc_golden_check(arena, number) == ASC_GOLDEN_FAILED) { stop(); }
 *     }
 *
 * They follow each other: a network with state is to be prepared anew before the first alone.
 */
#ifndef ASC_GOLDEN_H
#define ASC_GOLDEN_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define ASC_GOLDEN_RANDOM 6u
#define ASC_GOLDEN_COUNT (ASC_GOLDEN_RANDOM + 2u)

#define ASC_GOLDEN_PASSED 0
#define ASC_GOLDEN_FAILED 1
#define ASC_GOLDEN_UNCHECKED 2 /* there was no reference when the code was generated */

/* Returns what a golden input holds, for people. */
const char *asc_golden_name(uint32_t number);

/* Writes a golden input to the network's inputs.
 *
 * arena: a prepared arena.
 * number: 0 to ASC_GOLDEN_COUNT - 1. */
void asc_golden_write(int8_t *arena, uint32_t number);

/* Compares the outputs with those that a golden input must lead to. Returns ASC_GOLDEN_PASSED,
 * ASC_GOLDEN_FAILED or ASC_GOLDEN_UNCHECKED.
 *
 * arena: an arena after a run.
 * number: that of the input which was written. */
int asc_golden_check(int8_t *arena, uint32_t number);

#ifdef __cplusplus
}
#endif

#endif
