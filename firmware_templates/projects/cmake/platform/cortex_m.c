/* SPDX-License-Identifier: Apache-2.0
 *
 * The platform on a Cortex-M core under an emulator or debugger with semihosting: start-up code,
 * files and text of the host (Arm's semihosting specification), instruction and stack counters.
 */
#include <string.h>

#include "board.h"
#include "platform.h"

/* From the linker script. */
extern uint32_t link_data_load[], link_data_start[], link_data_end[];
extern uint32_t link_bss_start[], link_bss_end[];
extern uint32_t link_stack_limit[], link_stack_top[];

typedef void (*handler_t)(void);

#if BOARD_HAS_CONSTRUCTORS
extern const handler_t link_constructors_start[], link_constructors_end[];
#endif

int main(int argc, char **argv);

void reset_handler(void);
void fault_handler(void);
void systick_handler(void);

typedef struct {
    uint32_t *stack;
    handler_t handlers[15];
} vectors_t;

__attribute__((section(".vectors"), used)) static const vectors_t vectors = {
    link_stack_top,
    {reset_handler, fault_handler, fault_handler, fault_handler, fault_handler, fault_handler,
     fault_handler, fault_handler, fault_handler, fault_handler, fault_handler, fault_handler,
     fault_handler, fault_handler, systick_handler},
};

/* Semihosting operations */
enum {
    SYS_OPEN = 0x01,
    SYS_CLOSE = 0x02,
    SYS_WRITE0 = 0x04,
    SYS_WRITE = 0x05,
    SYS_READ = 0x06,
    SYS_GET_CMDLINE = 0x15,
    SYS_EXIT_EXTENDED = 0x20
};

static int32_t semihosting(uint32_t operation, const void *argument) {
    register uint32_t r0 __asm__("r0") = operation;
    register const void *r1 __asm__("r1") = argument;
    __asm__ volatile("bkpt 0xab" : "+r"(r0) : "r"(r1) : "memory");
    return (int32_t)r0;
}

static void leave(uint32_t code) {
    const uint32_t application_exit = 0x20026;
    const uint32_t block[2] = {application_exit, code};
    for (;;) {
        semihosting(SYS_EXIT_EXTENDED, block);
    }
}

int platform_open(const char *path, const char *mode) {
    const uint32_t binary = 1;
    const uint32_t write = 4;
    const uint32_t flags = mode[0] == 'w' ? write | binary : binary;
    const uint32_t block[3] = {(uint32_t)path, flags, (uint32_t)strlen(path)};
    return semihosting(SYS_OPEN, block);
}

void platform_close(int file) {
    const uint32_t block[1] = {(uint32_t)file};
    semihosting(SYS_CLOSE, block);
}

size_t platform_read(int file, void *data, size_t size) {
    const uint32_t block[3] = {(uint32_t)file, (uint32_t)data, size};
    return size - (size_t)semihosting(SYS_READ, block);
}

void platform_write(int file, const void *data, size_t size) {
    const uint32_t block[3] = {(uint32_t)file, (uint32_t)data, size};
    if (semihosting(SYS_WRITE, block) != 0) {
        platform_print("cannot write\n");
        leave(1);
    }
}

void platform_print(const char *text) {
    semihosting(SYS_WRITE0, text);
}

/* SysTick counts down 24 bits at the board's clock; its handler counts the turns. */
static volatile uint32_t *const systick = (volatile uint32_t *)0xE000E010;
static volatile uint32_t systick_turns;

static void start_systick(void) {
    const uint32_t processor_clock_interrupt_enable = 7;
    systick[1] = 0xFFFFFF;
    systick[2] = 0;
    systick[0] = processor_clock_interrupt_enable;
}

void systick_handler(void) {
    systick_turns++;
}

uint64_t platform_instructions(void) {
    uint32_t turns;
    uint32_t left;
    do {
        turns = systick_turns;
        left = systick[2];
    } while (turns != systick_turns);
    const uint64_t ticks = ((uint64_t)turns << 24) + (0xFFFFFF - left);
    return ticks * BOARD_INSTRUCTIONS_PER_1024_TICKS / 1024;
}

static const uint32_t paint = 0xA5A5A5A5;

uint32_t platform_stack_bytes(void) {
    const uint32_t *lowest = link_stack_limit;
    while (lowest < link_stack_top && *lowest == paint) {
        lowest++;
    }
    return (uint32_t)((uintptr_t)link_stack_top - (uintptr_t)lowest);
}

static void paint_stack(void) {
    uint32_t *const here = __builtin_frame_address(0);
    /* Leaves room for this function's own registers. */
    for (volatile uint32_t *word = link_stack_limit; word < here - 32; word++) {
        *word = paint;
    }
}

static void enable_extensions(void) {
    volatile uint32_t *const cpacr = (volatile uint32_t *)0xE000ED88;
    volatile uint32_t *const ccr = (volatile uint32_t *)0xE000ED14;
    (void)cpacr;
    (void)ccr;
#if BOARD_HAS_COPROCESSORS
    *cpacr |= 0xFu << 20; /* floating point and vector unit */
#endif
#if BOARD_HAS_LOW_OVERHEAD_LOOPS
    *ccr |= 1u << 19;
#endif
}

static void run_constructors(void) {
#if BOARD_HAS_CONSTRUCTORS
    for (const handler_t *run = link_constructors_start; run < link_constructors_end; run++) {
        (*run)();
    }
#endif
}

static int split(char *line, char **argv, int most) {
    int argc = 0;
    while (argc < most) {
        line += strspn(line, " ");
        if (*line == '\0') {
            break;
        }
        argv[argc++] = line;
        line += strcspn(line, " ");
        if (*line != '\0') {
            *line++ = '\0';
        }
    }
    return argc;
}

void reset_handler(void) {
    static char line[256];
    static char *argv[8];
    uint32_t block[2] = {(uint32_t)line, sizeof line};
    enable_extensions();
    paint_stack();
    memcpy(link_data_start, link_data_load,
           (size_t)((char *)link_data_end - (char *)link_data_start));
    memset(link_bss_start, 0, (size_t)((char *)link_bss_end - (char *)link_bss_start));
    start_systick();
    run_constructors();
    if (semihosting(SYS_GET_CMDLINE, block) != 0) {
        line[0] = '\0';
    }
    leave((uint32_t)main(split(line, argv, 8), argv));
}

void fault_handler(void) {
    const uint32_t fault = 70;
    platform_print("fault\n");
    leave(fault);
}
