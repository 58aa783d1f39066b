/* SPDX-License-Identifier: Apache-2.0
 *
 * Runs networks on this computer: networks IN OUT reads the inputs of all networks from one file
 * and writes their outputs to another. Each runs in a process of its own, and the program says on
 * stderr how that ended.
 *
 * All inferences are done twice, in memory that held something else before. The first arena is a
 * block of exactly the bytes that it needs, so that AddressSanitizer sees every access outside; so
 * is each input and output. The second lies between bytes that must not change, and a network with
 * state makes one more inference there before it is reset.
 */
#define _POSIX_C_SOURCE 200112L
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "networks.h"

enum { GUARD = 4096, PASSES = 2, SECONDS = 600 };

static void fill(int8_t *bytes, size_t size, uint8_t seed) {
    for (size_t i = 0; i < size; i++) {
        bytes[i] = (int8_t)(uint8_t)(i * 37u + seed);
    }
}

static void *block(size_t size, uint8_t seed) {
    int8_t *bytes = malloc(size);
    if (bytes == NULL) {
        fprintf(stderr, "out of memory\n");
        _exit(4);
    }
    fill(bytes, size, seed);
    return bytes;
}

static bool is_filled(const int8_t *bytes, size_t size, uint8_t seed) {
    bool same = true;
    for (size_t i = 0; i < size; i++) {
        same = same && bytes[i] == (int8_t)(uint8_t)(i * 37u + seed);
    }
    return same;
}

static int infer(const network_t *network, int8_t *arena, uint8_t seed, FILE *in, FILE *out) {
    const uint32_t *input_bytes = network->bytes;
    const uint32_t *output_bytes = network->bytes + network->inputs;
    const void *inputs[MOST_ENDS];
    void *outputs[MOST_ENDS];
    void *blocks[MOST_ENDS];
    int result = 0;
    for (uint32_t i = 0; i < network->inputs; i++) {
        inputs[i] = blocks[i] = block(input_bytes[i], seed);
        result = fread(blocks[i], 1, input_bytes[i], in) == input_bytes[i] ? result : 3;
    }
    for (uint32_t i = 0; i < network->outputs; i++) {
        outputs[i] = block(output_bytes[i], seed);
    }
    const int code = result == 0 ? network->infer(arena, inputs, outputs) : 0;
    if (code != 0) {
        fprintf(stderr, "the network returns error %d\n", code);
        result = 3;
    }
    for (uint32_t i = 0; result == 0 && out != NULL && i < network->outputs; i++) {
        result = fwrite(outputs[i], 1, output_bytes[i], out) == output_bytes[i] ? 0 : 3;
    }
    for (uint32_t i = 0; i < network->inputs; i++) {
        free(blocks[i]);
    }
    for (uint32_t i = 0; i < network->outputs; i++) {
        free(outputs[i]);
    }
    return result;
}

/* Makes an inference that is forgotten again. */
static int infer_and_reset(const network_t *network, int8_t *arena, uint8_t seed, FILE *in) {
    const long place = ftell(in);
    int result = infer(network, arena, seed, in, NULL);
    if (result == 0 && fseek(in, place, SEEK_SET) != 0) {
        result = 2;
    }
    network->reset(arena);
    return result;
}

static int run(const network_t *network, uint8_t seed, size_t guard, FILE *in, FILE *out) {
    int8_t *memory = block(network->arena + 2u * guard, seed);
    int8_t *arena = memory + guard;
    int8_t *behind = arena + network->arena;
    fill(behind, guard, seed);
    int result = 0;
    if (network->init(arena) != 0) {
        fprintf(stderr, "the network cannot be prepared\n");
        result = 3;
    }
    if (result == 0 && guard != 0 && network->reset != NULL) {
        result = infer_and_reset(network, arena, seed, in);
    }
    for (uint32_t i = 0; result == 0 && i < network->inferences; i++) {
        result = infer(network, arena, seed, in, out);
    }
    if (result == 0 && !(is_filled(memory, guard, seed) && is_filled(behind, guard, seed))) {
        fprintf(stderr, "bytes beside the arena were written\n");
        result = 6;
    }
    free(memory);
    return result;
}

static int run_twice(const network_t *network, long input, long output, char **arguments) {
    FILE *in = fopen(arguments[1], "rb");
    FILE *out = fopen(arguments[2], "r+b");
    const struct rlimit limit = {SECONDS, SECONDS};
    setrlimit(RLIMIT_CPU, &limit);
    if (in == NULL || out == NULL || fseek(out, output, SEEK_SET) != 0) {
        return 2;
    }
    for (int pass = 0; pass < PASSES; pass++) {
        if (fseek(in, input, SEEK_SET) != 0) {
            return 2;
        }
        const int result =
            run(network, pass == 0 ? 11u : 90u, pass == 0 ? 0u : (size_t)GUARD, in, out);
        if (result != 0) {
            return result;
        }
    }
    return fflush(out) != 0;
}

static long sum(const uint32_t *bytes, uint32_t count) {
    long total = 0;
    for (uint32_t i = 0; i < count; i++) {
        total += (long)bytes[i];
    }
    return total;
}

int main(int count, char **arguments) {
    if (count != 3) {
        return 2;
    }
    long input = 0, output = 0;
    for (uint32_t i = 0; i < network_count; i++) {
        const network_t *network = &networks[i];
        const pid_t child = fork();
        if (child == 0) {
            _exit(run_twice(network, input, output, arguments));
        }
        int status = 0;
        if (child < 0 || waitpid(child, &status, 0) != child) {
            return 5;
        }
        fprintf(stderr, "network %u: %d\n", (unsigned)i, status);
        const long inferences = (long)network->inferences;
        input += inferences * sum(network->bytes, network->inputs);
        output += PASSES * inferences * sum(network->bytes + network->inputs, network->outputs);
    }
    return 0;
}
