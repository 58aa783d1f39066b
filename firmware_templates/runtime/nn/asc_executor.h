/* SPDX-License-Identifier: Apache-2.0
 *
 * Networks as stages that make one row of a tensor at a time. Tensors of which only a few rows are
 * needed lie in rolling buffers: row r is in slot r modulo the number of slots.
 */
#ifndef ASC_EXECUTOR_H
#define ASC_EXECUTOR_H

#include <stddef.h>
#include <stdint.h>

#include "asc_kernels.h"

#ifdef __ARM_ROPI
#error \
    "constants of a network hold addresses of others, which -fropi leaves as they are: do without"
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* Rows in the slots of a rolling buffer: in the arena, or in a constant if there is one. */
typedef struct {
    const int8_t *constant;
    uint32_t offset; /* byte offset of the first slot */
    uint32_t pitch;  /* bytes from slot to slot */
    uint16_t first;  /* number of the slot of row 0, as if there were a slot for each row */
    uint16_t slots;  /* number of slots, at least 1 */
    uint16_t repeat; /* number of rows that one slot shows, at least 1 */
} asc_rolling_buffer_t;

/* What a stage reads for its row y: rows (y * factor + offset) / divisor + k * step for `count`
 * values of k. Rows outside the tensor are padding, or the last one if the index is clamped. */
typedef struct {
    asc_rolling_buffer_t rolling_buffer;
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
    asc_rolling_buffer_t output;
    uint32_t scratch;
} asc_stage_t;

/* Neighbouring pixels of each row of a stage, which a run of their own makes. */
typedef struct {
    const void *layer; /* parameters of the kernel for these pixels */
    uint16_t input;    /* byte offset of the pixels in the rows that are read */
    uint16_t output;   /* byte offset of the pixels in the row that is written */
} asc_width_tile_t;

/* A stage that makes its rows in width tiles, if it has any: the first tile of all rows of a group,
 * then their second. */
typedef struct {
    asc_stage_t stage;
    const asc_width_tile_t *tiles; /* NULL if each run makes a whole row */
    uint16_t tile_count;
    uint16_t rows_per_group;
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

/* The same, or a width tile of a row.
 *
 * tiled: the stage with its width tiles; constant.
 * run: number of the run, from 0, over the tiles of all rows.
 * arena: as for asc_stage_run.
 * rows: as for asc_stage_run. */
void asc_tiled_stage_run(const asc_tiled_stage_t *tiled, int32_t run, int8_t *arena,
                         const int8_t **rows);

#ifdef __cplusplus
}
#endif

#endif
