/* SPDX-License-Identifier: Apache-2.0
 *
 * The cycle counter of Arm's cores from Cortex-M3 on (DWT, Armv7-M Architecture Reference Manual,
 * C1.8). Other cores and emulators give 0.
 */
#ifndef ASC_CYCLES_H
#define ASC_CYCLES_H

#include <stdint.h>

#if defined(__ARM_ARCH_7M__) || defined(__ARM_ARCH_7EM__) || defined(__ARM_ARCH_8M_MAIN__) || \
    defined(__ARM_ARCH_8_1M_MAIN__)
static inline volatile uint32_t *asc_cycles_register(uintptr_t address) {
    return (volatile uint32_t *)address;
}

static inline void asc_cycles_start(void) {
    *asc_cycles_register(0xE000EDFCu) |= 1u << 24; /* DEMCR.TRCENA */
    *asc_cycles_register(0xE0001000u) |= 1u;       /* DWT_CTRL.CYCCNTENA */
}

static inline uint32_t asc_cycles(void) {
    return *asc_cycles_register(0xE0001004u); /* DWT_CYCCNT */
}
#else
static inline void asc_cycles_start(void) {
}

static inline uint32_t asc_cycles(void) {
    return 0;
}
#endif

#endif
