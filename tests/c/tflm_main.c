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

ASC_NET_ALIGNED static int8_t arena[ASC_NET_ARENA_SIZE + 1];
static int8_t input[ASC_NET_INPUT_SIZE];
static int8_t output[ASC_NET_OUTPUT_SIZE];

static int infer(const char *in_name, const char *out_name) {
    const int in = platform_open(in_name, "rb");
    const int out = platform_open(out_name, "wb");
    int result = asc_net_init(arena);
    uint64_t spent = 0;
    print_number("init ", result, "\n");
    while (result == ASC_NET_OK && platform_read(in, input, sizeof input) == sizeof input) {
        const uint64_t before = platform_instructions();
        result = asc_net_infer(arena, input, output);
        spent = platform_instructions() - before;
        platform_write(out, output, sizeof output);
    }
    platform_close(in);
    platform_close(out);
    print_number("run ", result, "\n");
    print_number("used ", asc_net_arena_used(arena), "\n");
    print_number("size ", ASC_NET_ARENA_SIZE, "\n");
    print_number("instructions ", (int64_t)spent, "\n");
    print_number("stack ", platform_stack_bytes(), "\n");
    return 0;
}

static int faults(void) {
    memset(arena, 0x5A, sizeof arena);
    print_number("init_null ", asc_net_init(NULL), "\n");
    print_number("init_misaligned ", asc_net_init(arena + 1), "\n");
    print_number("run_null ", asc_net_run(NULL), "\n");
    print_number("run_misaligned ", asc_net_run(arena + 1), "\n");
    print_number("run_unprepared ", asc_net_run(arena), "\n");
    print_number("infer_unprepared ", asc_net_infer(arena, input, output), "\n");
    print_number("infer_null ", asc_net_infer(arena, NULL, output), "\n");
    print_number("init ", asc_net_init(arena), "\n");
    print_number("run ", asc_net_run(arena), "\n");
    print_number("init_again ", asc_net_init(arena), "\n");
    print_number("run_again ", asc_net_run(arena), "\n");
    return 0;
}

int main(int argc, char **argv) {
    if (argc == 4 && strcmp(argv[1], "infer") == 0) {
        return infer(argv[2], argv[3]);
    }
    return argc == 2 && strcmp(argv[1], "faults") == 0 ? faults() : 2;
}
