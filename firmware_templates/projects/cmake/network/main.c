/* SPDX-License-Identifier: Apache-2.0
 *
 * Runs a network on inputs from a file of the host, or on its golden inputs:
 *
 *     run FILE OUT        writes the outputs for the inputs in FILE, one inference after the other;
 *                         both hold the values of all inputs and outputs as they are in memory
 *     golden              prints name, result, instructions of each golden input; 0 if all pass
 *     bench               prints the instructions of an inference, and the stack that it used
 *     stages              prints the instructions of each stage, if built with ASC_NET_PROFILE
 */
#include <string.h>

#include "asc_ends.h"
#include "asc_golden.h"
#include "asc_net.h"
#include "asc_provenance.h"
#include "platform.h"
#include "print.h"

ASC_NET_ALIGNED static int8_t arena[ASC_NET_ARENA_SIZE];

/* Returns whether all inputs were there. */
static int read_inputs(int file) {
    for (uint32_t i = 0; i < ASC_ENDS_INPUTS; i++) {
        const uint32_t bytes = asc_ends_inputs[i].bytes;
        if (platform_read(file, asc_ends_input(arena, i), bytes) != bytes) {
            return 0;
        }
    }
    return 1;
}

static void write_outputs(int out) {
    for (uint32_t i = 0; i < ASC_ENDS_OUTPUTS; i++) {
        platform_write(out, asc_ends_output(arena, i), asc_ends_outputs[i].bytes);
    }
}

static int run(int file, int out) {
    int status = asc_net_init(arena);
    while (status == ASC_NET_OK && read_inputs(file)) {
        status = asc_net_run(arena);
        if (status == ASC_NET_OK) {
            write_outputs(out);
        }
    }
    return exit_code(status);
}

/* Runs a golden input, and gives the instructions that it took. */
static int run_golden(uint32_t number, uint64_t *spent) {
    asc_golden_write(arena, number);
    const uint64_t before = platform_instructions();
    const int status = asc_net_run(arena);
    *spent = platform_instructions() - before;
    return status;
}

static int golden(void) {
    static const char *const results[] = {" passed ", " FAILED ", " unchecked "};
    int failed = 0;
    int status = asc_net_init(arena);
    for (uint32_t i = 0; status == ASC_NET_OK && i < ASC_GOLDEN_COUNT; i++) {
        uint64_t spent;
        status = run_golden(i, &spent);
        const int result = asc_golden_check(arena, i);
        failed |= result == ASC_GOLDEN_FAILED;
        platform_print("golden ");
        platform_print(asc_golden_name(i));
        platform_print(results[result]);
        print_number((int64_t)spent);
        platform_print("\n");
    }
    return failed ? EXIT_FAILED : exit_code(status);
}

static int bench(void) {
    uint64_t spent = 0;
    int status = asc_net_init(arena);
    if (status == ASC_NET_OK) {
        status = run_golden(0, &spent);
        print_figure("instructions_per_inference", spent);
        print_figure("stack_bytes", platform_stack_bytes());
        print_figure("arena_bytes", asc_net_arena_used(arena));
    }
    return exit_code(status);
}

#ifdef ASC_NET_PROFILE
static int stages(void) {
    int status = asc_net_init(arena);
    if (status == ASC_NET_OK) {
        asc_golden_write(arena, 0);
        last_step = platform_instructions();
        status = asc_net_run(arena);
        print_stages();
    }
    return exit_code(status);
}
#endif

static int usage(void) {
    platform_print("usage: run FILE OUT | golden | bench\n");
    return EXIT_USAGE;
}

static int run_files(const char *input, const char *output) {
    const int file = platform_open(input, "rb");
    const int out = file < 0 ? file : platform_open(output, "wb");
    if (out < 0) {
        platform_print("cannot open the files\n");
        return EXIT_USAGE;
    }
    const int code = run(file, out);
    platform_close(out);
    platform_close(file);
    return code;
}

int main(int argc, char **argv) {
    size_t size;
    (void)asc_provenance(&size); /* keeps the record in the image */
    if (argc == 4 && strcmp(argv[1], "run") == 0) {
        return run_files(argv[2], argv[3]);
    }
    if (argc == 2 && strcmp(argv[1], "golden") == 0) {
        return golden();
    }
    if (argc == 2 && strcmp(argv[1], "bench") == 0) {
        return bench();
    }
#ifdef ASC_NET_PROFILE
    if (argc == 2 && strcmp(argv[1], "stages") == 0) {
        return stages();
    }
#endif
    return usage();
}
