/* Runs a network on each input of a file and writes its outputs: network IN OUT. Prints the
 * instructions of the costliest run, and how many bytes beside arena, input and output were
 * changed. */
#include <string.h>

#include "asc_net.h"
#include "harness.h"

enum { GUARD = 1024 };

static struct {
    ASC_NET_ALIGNED int8_t before[GUARD];
    int8_t arena[ASC_NET_ARENA_SIZE];
    int8_t between[GUARD];
    int8_t input[ASC_NET_INPUT_SIZE];
    int8_t middle[GUARD];
    int8_t output[ASC_NET_OUTPUT_SIZE];
    int8_t behind[GUARD];
} memory;

static uint32_t changed(const int8_t *guard) {
    uint32_t count = 0;
    for (int i = 0; i < GUARD; i++) {
        count += guard[i] != 0x5A;
    }
    return count;
}

int main(int argc, char **argv) {
    trap_unaligned();
    uint64_t most = 0;
    if (argc < 3) {
        return 2;
    }
    const int in = platform_open(argv[1], "rb");
    const int out = platform_open(argv[2], "wb");
    memset(&memory, 0x5A, sizeof memory);
    if (asc_net_init(memory.arena) != ASC_NET_OK) {
        return 1;
    }
    while (platform_read(in, memory.input, sizeof memory.input) == sizeof memory.input) {
        give_r9();
        const uint64_t before = platform_instructions();
        if (asc_net_infer(memory.arena, memory.input, memory.output) != ASC_NET_OK) {
            return 1;
        }
        const uint64_t spent = platform_instructions() - before;
        if (!is_r9_kept()) {
            return 3;
        }
        most = spent > most ? spent : most;
        platform_write(out, memory.output, sizeof memory.output);
    }
    platform_close(out);
    print_number("", (int64_t)most, "\n");
    print_number("",
                 (int64_t)(changed(memory.before) + changed(memory.between) +
                           changed(memory.middle) + changed(memory.behind)),
                 "\n");
    return 0;
}
