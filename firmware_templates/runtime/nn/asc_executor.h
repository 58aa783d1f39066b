/* SPDX-License-Identifier: Apache-2.0
 *
 * Networks as stages that make one row of a tensor at a time. Tensors that only a few rows are
 * needed of lie in rings: row r is at place r modulo the ring's size.
 */
#ifndef ASC_EXECUTOR_H
#define ASC_EXECUTOR_H

#include <stddef.h>
#include <stdint.h>

#include "asc_kernels.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Rows in the arena, or in a constant if there is one. */
typedef struct {
    const int8_t *constant;
    uint32_t offset; /* of the first place, in bytes */
    uint32_t pitch;  /* from place to place, in bytes */
    uint16_t first;  /* number of the first row in the ring's storage */
    uint16_t size;   /* places of the ring */
    uint16_t repeat; /* rows that show one place */
} asc_ring_t;

/* What a stage reads for its row y: rows (y * factor + offset) / divisor + k * step for `count`
 * values of k. Rows outside the tensor are padding, or the last one if the index is clamped. */
typedef struct {
    asc_ring_t ring;
    int16_t height;
    int16_t count;
    int16_t step;
    int16_t factor;
    int16_t offset;
    int16_t divisor;
    int16_t clamps;
} asc_rows_t;

typedef struct {
    asc_kernel_t kernel;
    const void *layer;
    const asc_rows_t *inputs;
    uint16_t input_count;
    uint16_t accumulates; /* all runs go to the only row */
    asc_ring_t output;
    uint32_t scratch;
} asc_stage_t;

/* A part of each row: what the kernel needs to know, bytes from the beginning of the rows that it
 * reads and of that which it writes. */
typedef struct {
    const void *layer;
    uint16_t input;
    uint16_t output;
} asc_part_t;

/* A stage that makes its rows in parts, if it has any: the first part of `together` rows, then the
 * second. */
typedef struct {
    asc_stage_t stage;
    const asc_part_t *parts;
    uint16_t part_count;
    uint16_t together;
} asc_tiled_stage_t;

/* So many steps of the order, so many times. */
typedef struct {
    uint16_t steps;
    uint16_t times;
} asc_loop_t;

/* What can be done with a column of the input: so many loops from one on, and its first step. */
typedef struct {
    uint16_t step;
    uint16_t loop;
    uint16_t loops;
} asc_frame_steps_t;

/* Makes a row of a stage's output.
 *
 * stage: the stage; constant.
 * run: number of the run, from 0: the row of the output, but for stages that accumulate.
 * arena: memory of all tensors and of scratch, as large as the generator has planned and aligned
 *     to 16 bytes; the caller owns it.
 * rows: room for the addresses of all rows that the stage reads. */
void asc_stage_run(const asc_stage_t *stage, int32_t run, int8_t *arena, const int8_t **rows);

/* The same, or a part of a row.
 *
 * tiled: the stage with its parts; constant.
 * run: number of the run, from 0, over the parts of all rows.
 * arena: as for asc_stage_run.
 * rows: as for asc_stage_run. */
void asc_tiled_stage_run(const asc_tiled_stage_t *tiled, int32_t run, int8_t *arena,
                         const int8_t **rows);

#ifdef __cplusplus
}
#endif

#endif
