/* SPDX-License-Identifier: Apache-2.0
 *
 * The board layer's own part: vectors, start, and a console.
 */
#include <stdint.h>
#include <string.h>

#define VSI0 224 /* as device.h numbers it, which would declare CMSIS's own tables */
#define CONSOLE (*(volatile uint32_t *)0x40200000u)

typedef void (*handler_t)(void);

typedef struct {
    const uint32_t *from;
    uint32_t *to;
    uint32_t words;
} copy_t;

typedef struct {
    uint32_t *to;
    uint32_t words;
} zero_t;

extern const copy_t __copy_table_start__[], __copy_table_end__[];
extern const zero_t __zero_table_start__[], __zero_table_end__[];
extern uint32_t __StackTop;

int app_main(void);
void ARM_VSI0_Handler(void);
void Reset_Handler(void);
int _write(int file, const char *text, int count);

uint32_t SystemCoreClock = 32000000u;

int _write(int file, const char *text, int count) {
    (void)file;
    for (int i = 0; i < count; i++) {
        CONSOLE = (uint8_t)text[i];
    }
    return count;
}

static void fault(void) {
    for (;;) {
    }
}

void Reset_Handler(void) {
    for (const copy_t *each = __copy_table_start__; each < __copy_table_end__; each++) {
        memcpy(each->to, each->from, each->words * sizeof *each->to);
    }
    for (const zero_t *each = __zero_table_start__; each < __zero_table_end__; each++) {
        memset(each->to, 0, each->words * sizeof *each->to);
    }
    (void)app_main();
    fault();
}

__attribute__((section(".vectors"), used)) static const handler_t vectors[16 + 240] = {
    [0] = (handler_t)&__StackTop,
    [1] = Reset_Handler,
    [3] = fault,
    [16 + VSI0] = ARM_VSI0_Handler,
};
