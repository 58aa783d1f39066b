/* SPDX-License-Identifier: Apache-2.0
 *
 * Runs an emitted network alone:
 *
 *     infer IN OUT    prints the arena's use and the instructions of a run; outputs for all inputs
 *     faults          prints the code of each mistake in the use of the interface
 */
#include <string.h>

#include "asc_net.h"
#include "platform.h"

ASC_NET_ALIGNED static int8_t arena[ASC_NET_ARENA_SIZE + 1];
static int8_t input[ASC_NET_INPUT_SIZE];
static int8_t output[ASC_NET_OUTPUT_SIZE];

static void print(const char *name, int64_t value) {
    char digits[24];
    char *text = digits + sizeof digits;
    uint64_t rest = value < 0 ? (uint64_t)-value : (uint64_t)value;
    *--text = '\0';
    do {
        *--text = (char)('0' + rest % 10u);
        rest /= 10u;
    } while (rest != 0);
    if (value < 0) {
        *--text = '-';
    }
    platform_print(name);
    platform_print(" ");
    platform_print(text);
    platform_print("\n");
}

static int infer(const char *in_name, const char *out_name) {
    const int in = platform_open(in_name, "rb");
    const int out = platform_open(out_name, "wb");
    int result = asc_net_init(arena);
    uint64_t spent = 0;
    print("init", result);
    while (result == ASC_NET_OK && platform_read(in, input, sizeof input) == sizeof input) {
        const uint64_t before = platform_instructions();
        result = asc_net_infer(arena, input, output);
        spent = platform_instructions() - before;
        platform_write(out, output, sizeof output);
    }
    platform_close(in);
    platform_close(out);
    print("run", result);
    print("used", asc_net_arena_used(arena));
    print("size", ASC_NET_ARENA_SIZE);
    print("instructions", (int64_t)spent);
    print("stack", platform_stack_bytes());
    return 0;
}

static int faults(void) {
    memset(arena, 0x5A, sizeof arena);
    print("init_null", asc_net_init(NULL));
    print("init_misaligned", asc_net_init(arena + 1));
    print("run_null", asc_net_run(NULL));
    print("run_misaligned", asc_net_run(arena + 1));
    print("run_unprepared", asc_net_run(arena));
    print("infer_unprepared", asc_net_infer(arena, input, output));
    print("infer_null", asc_net_infer(arena, NULL, output));
    print("init", asc_net_init(arena));
    print("run", asc_net_run(arena));
    print("init_again", asc_net_init(arena));
    print("run_again", asc_net_run(arena));
    return 0;
}

int main(int argc, char **argv) {
    if (argc == 4 && strcmp(argv[1], "infer") == 0) {
        return infer(argv[2], argv[3]);
    }
    return argc == 2 && strcmp(argv[1], "faults") == 0 ? faults() : 2;
}
