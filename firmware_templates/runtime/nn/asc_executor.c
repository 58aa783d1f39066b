/* SPDX-License-Identifier: Apache-2.0 */
#include "asc_executor.h"

static const int8_t *row_in_buffer(const asc_rolling_buffer_t *buffer, int32_t row,
                                   const int8_t *arena) {
    const int8_t *base = buffer->constant == NULL ? arena : buffer->constant;
    uint32_t slot =
        buffer->first + (buffer->repeat == 1 ? (uint32_t)row : (uint32_t)row / buffer->repeat);
    if (slot >= buffer->slots) {
        slot %= buffer->slots;
    }
    return base + buffer->offset + slot * buffer->pitch;
}

/* Writes the addresses of the rows that row y reads, NULL for padding; returns how many. */
static int32_t find_rows(const asc_rows_t *input, int32_t y, const int8_t *arena,
                         const int8_t **rows) {
    int32_t row = y * input->factor + input->offset;
    if (input->divisor != 1 && row > 0) {
        row /= input->divisor;
    }
    for (int32_t k = 0; k < input->count; k++, row += input->step) {
        int32_t nearest = row;
        if (input->clamps) {
            nearest = nearest < 0 ? 0 : nearest;
            nearest = nearest < input->height ? nearest : input->height - 1;
        }
        const int inside = nearest >= 0 && nearest < input->height;
        rows[k] = inside ? row_in_buffer(&input->rolling_buffer, nearest, arena) : NULL;
    }
    return input->count;
}

void asc_stage_run(const asc_stage_t *stage, int32_t run, int8_t *arena, const int8_t **rows) {
    const int32_t row = stage->accumulates ? 0 : run;
    const uint32_t output = (uint32_t)(row_in_buffer(&stage->output, row, arena) - arena);
    const int8_t **next = rows;
    for (uint32_t i = 0; i < stage->input_count; i++) {
        next += find_rows(&stage->inputs[i], run, arena, next);
    }
    const asc_kernel_args_t args = {rows, arena + output, arena + stage->scratch, run};
    stage->kernel(stage->layer, &args);
}

void asc_tiled_stage_run(const asc_tiled_stage_t *tiled, int32_t run, int8_t *arena,
                         const int8_t **rows) {
    const asc_stage_t *stage = &tiled->stage;
    if (tiled->tiles == NULL) {
        asc_stage_run(stage, run, arena, rows);
        return;
    }
    const int32_t rows_per_group = tiled->rows_per_group;
    const int32_t count = tiled->tile_count;
    const int32_t group = run / (rows_per_group * count);
    const int32_t row = group * rows_per_group + run % rows_per_group;
    const asc_width_tile_t *tile = &tiled->tiles[run / rows_per_group % count];
    const int8_t **next = rows;
    for (uint32_t i = 0; i < stage->input_count; i++) {
        next += find_rows(&stage->inputs[i], row, arena, next);
    }
    for (const int8_t **each = rows; each < next; each++) {
        *each = *each == NULL ? NULL : *each + tile->input;
    }
    const uint32_t output = (uint32_t)(row_in_buffer(&stage->output, row, arena) - arena);
    const asc_kernel_args_t args = {rows, arena + output + tile->output, arena + stage->scratch,
                                    row};
    stage->kernel(tile->layer, &args);
}
