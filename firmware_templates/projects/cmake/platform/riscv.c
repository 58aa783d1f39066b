/* SPDX-License-Identifier: Apache-2.0
 *
 * The platform's part for 32-bit RISC-V cores: start-up code, semihosting, instruction counter.
 */
#include "board.h"
#include "emulated.h"
#include "platform.h"

/* Clang takes these instructions for part of every core, and not all releases know the option. */
#ifdef __clang__
#define WITH_CSR ""
#else
#define WITH_CSR ".option arch, +zicsr\n"
#endif

void reset_handler(void);
void start(void);
void trap_handler(void);

__attribute__((naked, section(".start"), used)) void reset_handler(void) {
    __asm__("la sp, link_stack_top\n"
            "j start\n");
}

/* Aligned as mtvec wants it. */
__attribute__((aligned(4))) void trap_handler(void) {
    fault_handler();
}

__attribute__((used)) void start(void) {
    __asm__ volatile(".option push\n" WITH_CSR "csrw mtvec, %0\n"
                     ".option pop\n"
                     :
                     : "r"(trap_handler));
    prepare_memory();
    run_main();
}

/* Three uncompressed instructions on the same page tell the call from a breakpoint. */
int32_t semihosting(uint32_t operation, const void *argument) {
    register uint32_t a0 __asm__("a0") = operation;
    register const void *a1 __asm__("a1") = argument;
    __asm__ volatile(".option push\n"
                     ".option norvc\n"
                     ".balign 16\n"
                     "slli zero, zero, 0x1f\n"
                     "ebreak\n"
                     "srai zero, zero, 7\n"
                     ".option pop\n"
                     : "+r"(a0)
                     : "r"(a1)
                     : "memory");
    return (int32_t)a0;
}

/* A 16550 UART: data, line status. */
static volatile uint8_t *const uart = (volatile uint8_t *)BOARD_UART;

enum { UART_DATA = 0, UART_STATUS = 5 };
enum { UART_RX_READY = 1, UART_TX_EMPTY = 0x20 };

int platform_serial_read(uint8_t *data, size_t size) {
    size_t count = 0;
    while (count < size && (uart[UART_STATUS] & UART_RX_READY) != 0) {
        data[count++] = uart[UART_DATA];
    }
    return (int)count;
}

/* Asks again at once: the emulator needs no rest. */
void platform_serial_wait(void) {
}

void platform_serial_write(const uint8_t *data, size_t size) {
    for (size_t i = 0; i < size; i++) {
        while ((uart[UART_STATUS] & UART_TX_EMPTY) == 0) {
        }
        uart[UART_DATA] = data[i];
    }
}

/* The emulator's count of retired instructions is its virtual time: one a nanosecond. */
uint64_t platform_instructions(void) {
    uint32_t high;
    uint32_t low;
    uint32_t again;
    do {
        __asm__ volatile(".option push\n" WITH_CSR "csrr %0, minstreth\n"
                         "csrr %1, minstret\n"
                         "csrr %2, minstreth\n"
                         ".option pop\n"
                         : "=r"(high), "=r"(low), "=r"(again));
    } while (high != again);
    return ((uint64_t)high << 32) | low;
}
