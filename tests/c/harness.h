/* SPDX-License-Identifier: Apache-2.0
 *
 * What the programs share that run parts of the library on emulated cores.
 */
#ifndef HARNESS_H
#define HARNESS_H

#include <stdint.h>

#include "platform.h"

/* Prints a number between two texts; without printf, which would take more memory than the part
 * that is measured. */
static inline void print_number(const char *before, int64_t value, const char *after) {
    char digits[24];
    char *text = digits + sizeof digits - 1;
    uint64_t rest = value < 0 ? (uint64_t)-value : (uint64_t)value;
    *text = '\0';
    do {
        text--;
        *text = (char)('0' + (int)(rest % 10u));
        rest /= 10u;
    } while (rest != 0);
    if (value < 0) {
        text--;
        *text = '-';
    }
    platform_print(before);
    platform_print(text);
    platform_print(after);
}

/* Code for a core that loads words from whole addresses only must do so on a larger one, too: has a
 * Cortex-M3 stop at what is not aligned (UNALIGN_TRP of CCR). */
static inline void trap_unaligned(void) {
#if defined(__thumb__) && !defined(__thumb2__)
    *(volatile uint32_t *)0xE000ED14u |= 8u;
#endif
}

/* Where a test has the compiler keep r9, nothing that is called changes it. */
#ifdef KEPT_R9

static inline void give_r9(void) {
    __asm__ volatile("mov r9, %0" : : "r"(KEPT_R9));
}

static inline int is_r9_kept(void) {
    uint32_t value;
    __asm__ volatile("mov %0, r9" : "=r"(value));
    return value == KEPT_R9;
}

#else

static inline void give_r9(void) {
}

static inline int is_r9_kept(void) {
    return 1;
}

#endif

#endif
