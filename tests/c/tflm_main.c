/* SPDX-License-Identifier: Apache-2.0
 *
 * Runs an emitted network alone:
 *
 *     infer IN OUT    prints the arena's use and the instructions of a run; outputs for all inputs
 *     faults          prints the code of each mistake in the use of the interface
 */
#include <string.h>

#include "asc_net.h"
#include "harness.h"

/* Bytes of each input and output: definitions tell where there are several. */
#ifndef INPUT_BYTES
#define INPUT_BYTES ASC_NET_INPUT_BYTES
#define OUTPUT_BYTES ASC_NET_OUTPUT_BYTES
#endif
static const uint32_t input_bytes[] = {INPUT_BYTES};
static const uint32_t output_bytes[] = {OUTPUT_BYTES};

ASC_NET_ALIGNED static int8_t arena[ASC_NET_ARENA_SIZE + 1];
static int64_t input[8192];
static int64_t output[8192];

static uint32_t sum(const uint32_t *bytes, uint32_t count) {
    uint32_t total = 0;
    for (uint32_t i = 0; i < count; i++) {
        total += bytes[i];
    }
    return total;
}

static int infer_once(void) {
#if ASC_NET_INPUTS == 1 && ASC_NET_OUTPUTS == 1
    const void *const from = input;
    void *const to = output;
    return asc_net_infer(arena, from, to);
#else
    const void *inputs[ASC_NET_INPUTS];
    void *outputs[ASC_NET_OUTPUTS];
    for (uint32_t i = 0; i < ASC_NET_INPUTS; i++) {
        inputs[i] = (const int8_t *)input + sum(input_bytes, i);
    }
    for (uint32_t i = 0; i < ASC_NET_OUTPUTS; i++) {
        outputs[i] = (int8_t *)output + sum(output_bytes, i);
    }
    return asc_net_infer(arena, inputs, outputs);
#endif
}

static int infer(const char *in_name, const char *out_name) {
    const int in = platform_open(in_name, "rb");
    const int out = platform_open(out_name, "wb");
    const uint32_t read = sum(input_bytes, ASC_NET_INPUTS);
    const uint32_t written = sum(output_bytes, ASC_NET_OUTPUTS);
    int result = asc_net_init(arena);
    uint64_t spent = 0;
    print_number("init ", result, "\n");
    while (result == ASC_NET_OK && platform_read(in, input, read) == read) {
        const uint64_t before = platform_instructions();
        result = infer_once();
        spent = platform_instructions() - before;
        platform_write(out, output, written);
    }
#ifdef ASC_NET_STATE_SIZE
    if (result == ASC_NET_OK) { /* The first of all inferences again */
        platform_close(in);
        const int again = platform_open(in_name, "rb");
        asc_net_reset(arena);
        if (platform_read(again, input, read) == read) {
            result = infer_once();
            platform_write(out, output, written);
        }
    }
#endif
    platform_close(in);
    platform_close(out);
    print_number("run ", result, "\n");
    print_number("used ", asc_net_arena_used(arena), "\n");
    print_number("size ", ASC_NET_ARENA_SIZE, "\n");
    print_number("instructions ", (int64_t)spent, "\n");
    print_number("stack ", platform_stack_bytes(), "\n");
    return 0;
}

#if ASC_NET_INPUTS == 1 && ASC_NET_OUTPUTS == 1
static int faults(void) {
    const void *const from = input;
    void *const to = output;
    memset(arena, 0x5A, sizeof arena);
    print_number("init_null ", asc_net_init(NULL), "\n");
    print_number("init_misaligned ", asc_net_init(arena + 1), "\n");
    print_number("run_null ", asc_net_run(NULL), "\n");
    print_number("run_misaligned ", asc_net_run(arena + 1), "\n");
    print_number("run_unprepared ", asc_net_run(arena), "\n");
    print_number("infer_unprepared ", asc_net_infer(arena, from, to), "\n");
    print_number("infer_null ", asc_net_infer(arena, NULL, to), "\n");
    print_number("init ", asc_net_init(arena), "\n");
    print_number("run ", asc_net_run(arena), "\n");
    print_number("init_again ", asc_net_init(arena), "\n");
    print_number("run_again ", asc_net_run(arena), "\n");
    return 0;
}
#else
static int faults(void) {
    return 2;
}
#endif

int main(int argc, char **argv) {
    if (argc == 4 && strcmp(argv[1], "infer") == 0) {
        return infer(argv[2], argv[3]);
    }
    return argc == 2 && strcmp(argv[1], "faults") == 0 ? faults() : 2;
}
