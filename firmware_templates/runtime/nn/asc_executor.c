/* SPDX-License-Identifier: Apache-2.0 */
#include "asc_executor.h"

static const int8_t *row_in_ring(const asc_ring_t *ring, int32_t row, const int8_t *arena) {
    const int8_t *base = ring->constant == NULL ? arena : ring->constant;
    uint32_t place =
        ring->first + (ring->repeat == 1 ? (uint32_t)row : (uint32_t)row / ring->repeat);
    if (place >= ring->size) {
        place %= ring->size;
    }
    return base + ring->offset + place * ring->pitch;
}

/* Writes the addresses of the rows that row y reads, NULL for padding; returns how many. */
static int32_t find_rows(const asc_rows_t *input, int32_t y, const int8_t *arena,
                         const int8_t **rows) {
    int32_t row = y * input->factor + input->offset;
    if (input->divisor != 1 && row > 0) {
        row /= input->divisor;
    }
    for (int32_t k = 0; k < input->count; k++, row += input->step) {
        int32_t place = row;
        if (input->clamps) {
            place = place < 0 ? 0 : place;
            place = place < input->height ? place : input->height - 1;
        }
        const int inside = place >= 0 && place < input->height;
        rows[k] = inside ? row_in_ring(&input->ring, place, arena) : NULL;
    }
    return input->count;
}

void asc_stage_run(const asc_stage_t *stage, int32_t run, int8_t *arena, const int8_t **rows) {
    const int32_t place = stage->accumulates ? 0 : run;
    const uint32_t output = (uint32_t)(row_in_ring(&stage->output, place, arena) - arena);
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
    if (tiled->parts == NULL) {
        asc_stage_run(stage, run, arena, rows);
        return;
    }
    const int32_t together = tiled->together;
    const int32_t count = tiled->part_count;
    const int32_t group = run / (together * count);
    const int32_t row = group * together + run % together;
    const asc_part_t *part = &tiled->parts[run / together % count];
    const int8_t **next = rows;
    for (uint32_t i = 0; i < stage->input_count; i++) {
        next += find_rows(&stage->inputs[i], row, arena, next);
    }
    for (const int8_t **each = rows; each < next; each++) {
        *each = *each == NULL ? NULL : *each + part->input;
    }
    const uint32_t output = (uint32_t)(row_in_ring(&stage->output, row, arena) - arena);
    const asc_kernel_args_t args = {rows, arena + output + part->output, arena + stage->scratch,
                                    row};
    stage->kernel(part->layer, &args);
}
