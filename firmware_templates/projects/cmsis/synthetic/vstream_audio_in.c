/* SPDX-License-Identifier: Apache-2.0
 *
 * Noise in place of a microphone: a block whenever the application asks for the status, as it does
 * when it has nothing else to do.
 */
#include <stddef.h>

#include "cmsis_compiler.h"
#include "cmsis_vstream.h"

extern vStreamDriver_t Driver_vStreamAudioIn;

static vStreamEvent_t event;
static int16_t *block;
static uint32_t samples;
static uint32_t is_active;
static uint32_t is_ready;

static int32_t initialize(vStreamEvent_t event_cb) {
    event = event_cb;
    return VSTREAM_OK;
}

static int32_t uninitialize(void) {
    event = NULL;
    return VSTREAM_OK;
}

static int32_t set_buffer(void *buf, uint32_t buf_size, uint32_t block_size) {
    if (buf == NULL || block_size == 0 || buf_size < block_size) {
        return VSTREAM_ERROR_PARAMETER;
    }
    block = buf;
    samples = block_size / (uint32_t)sizeof *block;
    return VSTREAM_OK;
}

static int32_t start(uint32_t mode) {
    (void)mode;
    is_active = block != NULL;
    return is_active ? VSTREAM_OK : VSTREAM_ERROR;
}

static int32_t stop(void) {
    is_active = 0;
    return VSTREAM_OK;
}

static void *get_block(void) {
    return is_ready ? block : NULL;
}

static int32_t release_block(void) {
    is_ready = 0;
    return VSTREAM_OK;
}

static vStreamStatus_t get_status(void) {
    static uint32_t noise = 1;
    const vStreamStatus_t status = {.active = is_active & 1u};
    if (is_active) {
        for (uint32_t i = 0; i < samples; i++) {
            noise = noise * 1664525u + 1013904223u;
            block[i] = (int16_t)((int32_t)noise >> 20);
        }
        is_ready = 1;
        event(VSTREAM_EVENT_DATA);
        __SEV(); /* as an interrupt would */
    }
    return status;
}

vStreamDriver_t Driver_vStreamAudioIn = {
    initialize, uninitialize, set_buffer, start, stop, get_block, release_block, get_status,
};
