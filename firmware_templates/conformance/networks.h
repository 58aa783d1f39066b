/* SPDX-License-Identifier: Apache-2.0
 *
 * Networks that a program runs on the inputs of a file, to compare their outputs elsewhere.
 */
#ifndef NETWORKS_H
#define NETWORKS_H

#include <stdint.h>

/* The most inputs or outputs of a network, the bytes of the largest arena, and those of the most
 * inputs and outputs together, each rounded up to 16. */
#include "network_sizes.h"

/* A network: its functions, reset being NULL without state; the bytes of its arena, of each of its
 * inputs and then of each of its outputs, and how many inferences follow each other in one arena.
 */
typedef struct {
    int (*init)(int8_t *arena);
    void (*reset)(int8_t *arena);
    int (*infer)(int8_t *arena, const void *const inputs[], void *const outputs[]);
    const uint32_t *bytes;
    uint32_t arena, inputs, outputs, inferences;
} network_t;

extern const network_t networks[];
extern const uint32_t network_count;

#endif
