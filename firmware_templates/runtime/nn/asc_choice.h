/* SPDX-License-Identifier: Apache-2.0
 *
 * Comparisons, choices between two operands, and integers that are no codes.
 */
#ifndef ASC_CHOICE_H
#define ASC_CHOICE_H

#include <stdint.h>

#include "asc_kernels.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Relations that are true, added up */
enum { ASC_LESS = 1, ASC_EQUAL = 2, ASC_GREATER = 4 };

/* Two nested loops over a row of the output, steps in bytes; a step of 0 repeats a value. Values
 * of 1 byte are codes, which are compared with 8 more bits on the scale of real numbers; others of
 * 4 or 8 bytes are compared as they are. Gives 0 or 1, of 1 byte. */
typedef struct {
    int32_t count[2];
    int32_t first_step[2];
    int32_t second_step[2];
    int32_t bytes;
    int32_t relations;
    asc_operand_t first;
    asc_operand_t second;
} asc_compare_t;

/* Of two values of `bytes` bytes the first where the condition, of 1 byte, is not 0; steps in
 * bytes. */
typedef struct {
    int32_t count[2];
    int32_t condition_step[2];
    int32_t first_step[2];
    int32_t second_step[2];
    int32_t bytes;
} asc_select_t;

enum asc_operation {
    ASC_ADD,
    ASC_SUB,
    ASC_MUL,
    ASC_DIV,
    ASC_MAXIMUM,
    ASC_MINIMUM,
    ASC_SQUARED_DIFFERENCE
};

/* Integers of `bytes` bytes, 4 or 8, which wrap; a quotient goes to zero, and is 0 where the
 * divisor is 0. Steps in bytes. */
typedef struct {
    int32_t count[2];
    int32_t first_step[2];
    int32_t second_step[2];
    int32_t bytes;
    int32_t operation; /* an asc_operation */
} asc_integers_t;

void asc_compare(const void *layer, const asc_kernel_args_t *args);
void asc_select(const void *layer, const asc_kernel_args_t *args);
void asc_integers(const void *layer, const asc_kernel_args_t *args);

#ifdef __cplusplus
}
#endif

#endif
