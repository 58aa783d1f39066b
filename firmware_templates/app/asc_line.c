/* SPDX-License-Identifier: Apache-2.0 */
#include "asc_line.h"

#include "asc_atomic.h"

void asc_line_put(asc_line_t *line, const uint8_t *bytes, size_t count) {
    const uint32_t written = line->written;
    const uint32_t room = ASC_LINE_BYTES - (written - asc_atomic_load(&line->taken));
    const uint32_t part = count < room ? (uint32_t)count : room;
    for (uint32_t i = 0; i < part; i++) {
        line->bytes[(written + i) % ASC_LINE_BYTES] = bytes[i];
    }
    asc_atomic_store(&line->written, written + part);
}

size_t asc_line_take(asc_line_t *line, uint8_t *bytes, size_t most) {
    const uint32_t taken = line->taken;
    const uint32_t waiting = asc_atomic_load(&line->written) - taken;
    const uint32_t part = most < waiting ? (uint32_t)most : waiting;
    for (uint32_t i = 0; i < part; i++) {
        bytes[i] = line->bytes[(taken + i) % ASC_LINE_BYTES];
    }
    asc_atomic_store(&line->taken, taken + part);
    return part;
}
