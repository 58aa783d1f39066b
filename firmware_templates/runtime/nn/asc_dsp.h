/* SPDX-License-Identifier: Apache-2.0
 *
 * What kernels for cores with the DSP extension share.
 */
#ifndef ASC_DSP_H
#define ASC_DSP_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* The loops of the DSP path are in line assembly of GCC, with registers that only optimisation
 * leaves free. */
#if defined(__ARM_FEATURE_DSP) && defined(__GNUC__) && !defined(__clang__) && defined(__OPTIMIZE__)
#define ASC_KERNELS_DSP 1
#else
#define ASC_KERNELS_DSP 0
#endif

/* Does not compile unless a member lies so many bytes behind its structure's beginning, where
 * assembly reads it. */
#define ASC_ASSERT_OFFSET(TYPE, MEMBER, BYTES) \
    typedef char TYPE##_##MEMBER##_is_there[offsetof(TYPE, MEMBER) == (BYTES) ? 1 : -1]

/* Four bytes from any address, the first in the lowest bits. */
static inline uint32_t asc_load_word(const int8_t *bytes) {
    uint32_t word;
    memcpy(&word, bytes, sizeof word);
    return word;
}

#endif
