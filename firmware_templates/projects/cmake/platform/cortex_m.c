/* SPDX-License-Identifier: Apache-2.0
 *
 * The platform's part for Cortex-M cores: start-up code, semihosting call, instruction counter.
 */
#include "board.h"
#include "emulated.h"
#include "platform.h"

extern uint32_t link_stack_top[]; /* from the linker script */

typedef void (*handler_t)(void);

#if BOARD_HAS_CONSTRUCTORS
extern const handler_t link_constructors_start[], link_constructors_end[];
#endif

void reset_handler(void);
void systick_handler(void);

/* Nothing here loads a base of data to r9. GCC has no macro for -msingle-pic-base, but refuses
 * this. */
#ifdef __ARM_RWPI
#error "this image has no base of data in r9: compile without -frwpi"
#endif
#ifdef __PIC__
__attribute__((used)) static void no_base_in_r9(void) {
    __asm__ volatile("" : : : "r9");
}
#endif

typedef struct {
    uint32_t *stack;
    handler_t handlers[15];
} vectors_t;

__attribute__((section(".start"), used)) static const vectors_t vectors = {
    link_stack_top,
    {reset_handler, fault_handler, fault_handler, fault_handler, fault_handler, fault_handler,
     fault_handler, fault_handler, fault_handler, fault_handler, fault_handler, fault_handler,
     fault_handler, fault_handler, systick_handler},
};

int32_t semihosting(uint32_t operation, const void *argument) {
    register uint32_t r0 __asm__("r0") = operation;
    register const void *r1 __asm__("r1") = argument;
    __asm__ volatile("bkpt 0xab" : "+r"(r0) : "r"(r1) : "memory");
    return (int32_t)r0;
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
    return ticks * BOARD_INSTRUCTIONS / BOARD_TICKS;
}

static volatile uint32_t *const uart = (volatile uint32_t *)BOARD_UART;

#if BOARD_UART_IS_STM32
/* The USART of an STM32F1, F2 or F4: state, data, divider of the clock, control. */
enum { UART_STATE, UART_DATA, UART_DIVIDER, UART_CONTROL };
enum { UART_RX_FULL = 1 << 5, UART_TX_EMPTY = 1 << 7 };
enum { UART_ENABLE_BOTH = 1 << 13 | 3 << 2, UART_ENABLE_RX_INTERRUPT = 1 << 5 };
#else
/* The UART of Arm's CMSDK: data, state, control, interrupts, divider of the clock. */
enum { UART_DATA, UART_STATE, UART_CONTROL, UART_INTERRUPT, UART_DIVIDER };
enum { UART_TX_FULL = 1, UART_RX_FULL = 2, UART_RX_INTERRUPT = 2 };
enum { UART_ENABLE_BOTH = 3, UART_ENABLE_RX_INTERRUPT = 8 };
#endif

static volatile uint32_t *const nvic_enable = (volatile uint32_t *)0xE000E100;
static volatile uint32_t *const nvic_clear_pending = (volatile uint32_t *)0xE000E280;

static void start_uart(void) {
    uart[UART_DIVIDER] = 16; /* the least, the fastest */
    uart[UART_CONTROL] = UART_ENABLE_BOTH | UART_ENABLE_RX_INTERRUPT;
}

static int has_received(void) {
    return (uart[UART_STATE] & UART_RX_FULL) != 0;
}

static int can_send(void) {
#if BOARD_UART_IS_STM32
    return (uart[UART_STATE] & UART_TX_EMPTY) != 0;
#else
    return (uart[UART_STATE] & UART_TX_FULL) == 0;
#endif
}

/* A USART of an STM32 withdraws it with the byte that is read. */
static void clear_interrupt(void) {
#if !BOARD_UART_IS_STM32
    uart[UART_INTERRUPT] = UART_RX_INTERRUPT;
#endif
}

/* The UART's interrupt wakes the core while masked and needs no handler. */
void platform_serial_wait(void) {
    const uint32_t word = BOARD_UART_INTERRUPT / 32u;
    const uint32_t bit = 1u << (BOARD_UART_INTERRUPT % 32u);
    __asm__ volatile("cpsid i" ::: "memory");
    nvic_enable[word] = bit;
    if (!has_received()) {
        __asm__ volatile("wfi" ::: "memory");
    }
    nvic_enable[word + 32u] = bit; /* disables it */
    clear_interrupt();
    nvic_clear_pending[word] = bit;
    __asm__ volatile("cpsie i" ::: "memory");
}

int platform_serial_read(uint8_t *data, size_t size) {
    size_t count = 0;
    while (count < size && has_received()) {
        data[count++] = (uint8_t)uart[UART_DATA];
    }
    return (int)count;
}

void platform_serial_write(const uint8_t *data, size_t size) {
    for (size_t i = 0; i < size; i++) {
        while (!can_send()) {
        }
        uart[UART_DATA] = data[i];
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

void reset_handler(void) {
    enable_extensions();
    prepare_memory();
    start_systick();
    start_uart();
    run_constructors();
    run_main();
}
