/* SPDX-License-Identifier: Apache-2.0
 *
 * Runs networks on an emulated core: the image reads the inputs of all networks from one file and
 * writes their outputs to another, and behind those of each network the instructions of its
 * costliest inference. It prints what fails, such as bytes beside the arena that were written;
 * nothing if all is well.
 */
#include <stddef.h>
#include <string.h>

#include "networks.h"
#include "platform.h"

enum { GUARD = 1024, FILL = 0x5A };

static struct {
    int8_t before[GUARD] __attribute__((aligned(64)));
    int8_t arena[MOST_ARENA + GUARD];
    int8_t ends[MOST_END_BYTES] __attribute__((aligned(16)));
    int8_t behind[GUARD];
} memory;

static uint32_t changed(const int8_t *guard) {
    uint32_t count = 0;
    for (uint32_t i = 0; i < GUARD; i++) {
        count += guard[i] != FILL;
    }
    return count;
}

static size_t aligned(size_t size) {
    return (size + 15u) / 16u * 16u;
}

static const char *infer(const network_t *network, int in, int out, uint64_t *instructions) {
    const uint32_t *input_bytes = network->bytes;
    const uint32_t *output_bytes = network->bytes + network->inputs;
    const void *inputs[MOST_ENDS];
    void *outputs[MOST_ENDS];
    int8_t *place = memory.ends;
    for (uint32_t i = 0; i < network->inputs; i++) {
        inputs[i] = place;
        if (platform_read(in, place, input_bytes[i]) != input_bytes[i]) {
            return "the file of inputs is too short";
        }
        place += aligned(input_bytes[i]);
    }
    for (uint32_t i = 0; i < network->outputs; i++) {
        outputs[i] = place;
        place += aligned(output_bytes[i]);
    }
    const uint64_t before = platform_instructions();
    if (network->infer(memory.arena, inputs, outputs) != 0) {
        return "the network returns an error";
    }
    *instructions = platform_instructions() - before;
    for (uint32_t i = 0; i < network->outputs; i++) {
        platform_write(out, outputs[i], output_bytes[i]);
    }
    return NULL;
}

static const char *run(const network_t *network, int in, int out) {
    memset(&memory, FILL, sizeof memory);
    if (network->init(memory.arena) != 0) {
        return "the network cannot be prepared";
    }
    uint64_t most = 0;
    for (uint32_t i = 0; i < network->inferences; i++) {
        uint64_t instructions = 0;
        const char *wrong = infer(network, in, out, &instructions);
        if (wrong != NULL) {
            return wrong;
        }
        most = instructions > most ? instructions : most;
    }
    platform_write(out, &most, sizeof most);
    if (changed(memory.before) + changed(memory.arena + network->arena) + changed(memory.behind) !=
        0) {
        return "bytes beside the arena were written";
    }
    return NULL;
}

int main(int count, char **arguments) {
    if (count < 3) {
        return 2;
    }
    const int in = platform_open(arguments[1], "rb");
    const int out = platform_open(arguments[2], "wb");
    for (uint32_t i = 0; i < network_count; i++) {
        const char *wrong = run(&networks[i], in, out);
        if (wrong != NULL) {
            platform_print(wrong);
            return 3;
        }
    }
    platform_close(out);
    return 0;
}
