/* Runs a network once on a repeated input and prints the instructions of each of its stages, which
 * the network's code has added up in asc_net_profile, then those that taking the time takes. */
#include <string.h>

#include "asc_net.h"
#include "platform.h"

enum { READINGS = 64 };

extern uint64_t asc_net_profile[];
extern const uint32_t asc_net_profile_size;

static struct {
    ASC_NET_ALIGNED int8_t bytes[ASC_NET_ARENA_SIZE];
} arena;
static int8_t input[ASC_NET_INPUT_SIZE];
static int8_t output[ASC_NET_OUTPUT_SIZE];

static void print_number(uint64_t value) {
    char digits[24];
    char *text = digits + sizeof digits;
    *--text = '\0';
    do {
        *--text = (char)('0' + value % 10u);
        value /= 10u;
    } while (value != 0);
    platform_print(text);
    platform_print("\n");
}

int main(int argc, char **argv) {
    (void)argc;
    (void)argv;
    uint32_t noise = 1;
    for (uint32_t i = 0; i < sizeof input; i++) {
        noise = noise * 1664525u + 1013904223u;
        input[i] = (int8_t)(noise >> 24);
    }
    if (asc_net_init(arena.bytes) != ASC_NET_OK) {
        return 1;
    }
    if (asc_net_infer(arena.bytes, input, output) != ASC_NET_OK) {
        return 1;
    }
    for (uint32_t i = 0; i < asc_net_profile_size; i++) {
        print_number(asc_net_profile[i]);
    }
    const uint64_t before = platform_instructions();
    for (int i = 0; i < READINGS; i++) {
        (void)platform_instructions();
    }
    print_number((platform_instructions() - before) / READINGS);
    return 0;
}
