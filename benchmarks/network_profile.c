/* Runs a network once and prints the instructions of each of its stages, then those that taking
 * the time takes. The network's code calls asc_net_profile after every step. */
#include "asc_net.h"
#include "platform.h"

#ifdef ASC_NET_INPUT0_BYTES
/* Beside several outputs the only input has a number. */
#define ASC_NET_INPUT_BYTES ASC_NET_INPUT0_BYTES
#define asc_net_input asc_net_input0
#endif

enum { READINGS = 64, MOST_STAGES = 256 };

static uint64_t spent[MOST_STAGES];
static uint64_t last;

void asc_net_profile(uint32_t stage);

void asc_net_profile(uint32_t stage) {
    const uint64_t now = platform_instructions();
    spent[stage] += now - last;
    last = now;
}

static struct {
    ASC_NET_ALIGNED int8_t bytes[ASC_NET_ARENA_SIZE];
} arena;

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
    if (asc_net_init(arena.bytes) != ASC_NET_OK) {
        return 1;
    }
    int8_t *const input = (int8_t *)(void *)asc_net_input(arena.bytes);
    uint32_t noise = 1;
    for (uint32_t i = 0; i < ASC_NET_INPUT_BYTES; i++) {
        noise = noise * 1664525u + 1013904223u;
        input[i] = (int8_t)(noise >> 24);
    }
    last = platform_instructions();
    if (asc_net_run(arena.bytes) != ASC_NET_OK) {
        return 1;
    }
    for (int i = 0; i < MOST_STAGES; i++) {
        print_number(spent[i]);
    }
    const uint64_t before = platform_instructions();
    for (int i = 0; i < READINGS; i++) {
        (void)platform_instructions();
    }
    print_number((platform_instructions() - before) / READINGS);
    return 0;
}
