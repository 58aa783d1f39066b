/* SPDX-License-Identifier: Apache-2.0
 *
 * Numbers by which an interrupt hands memory over to the application or back. What was written
 * before asc_atomic_store is there after asc_atomic_load sees the number: for the compiler, and
 * where interrupt and application are on two cores, for the memory too. Needs loads and stores of
 * 32 bits that are single instructions, and no read-modify-write.
 */
#ifndef ASC_ATOMIC_H
#define ASC_ATOMIC_H

#include <stdint.h>

#if defined(ASC_AUDIO_BARRIER)
static inline uint32_t asc_atomic_load(const volatile uint32_t *from) {
    const uint32_t value = *from;
    ASC_AUDIO_BARRIER();
    return value;
}

static inline void asc_atomic_store(volatile uint32_t *to, uint32_t value) {
    ASC_AUDIO_BARRIER();
    *to = value;
}
#elif defined(__clang__) && !defined(__GCC_HAVE_SYNC_COMPARE_AND_SWAP_4)
/* Cores without a read-modify-write, such as Cortex-M0+ and RV32IMC: clang would call a library for
 * loads and stores, too. */
static inline uint32_t asc_atomic_load(const volatile uint32_t *from) {
    const uint32_t value = *from;
    __atomic_thread_fence(__ATOMIC_ACQUIRE);
    return value;
}

static inline void asc_atomic_store(volatile uint32_t *to, uint32_t value) {
    __atomic_thread_fence(__ATOMIC_RELEASE);
    *to = value;
}
#elif defined(__GNUC__)
static inline uint32_t asc_atomic_load(const volatile uint32_t *from) {
    return __atomic_load_n(from, __ATOMIC_ACQUIRE);
}

static inline void asc_atomic_store(volatile uint32_t *to, uint32_t value) {
    __atomic_store_n(to, value, __ATOMIC_RELEASE);
}
#else
#error "define ASC_AUDIO_BARRIER() as a barrier to memory and compiler, such as CMSIS's __DMB()"
#endif

#endif
