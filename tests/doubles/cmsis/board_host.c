/* SPDX-License-Identifier: Apache-2.0
 *
 * A board layer for a computer: calls app_main; its audio driver, unless SYNTHETIC is defined,
 * plays in.pcm, in stereo the left channel. A block comes whenever the application asks for the
 * status. Of these calls, OVERFLOWING_CALL names one that tells of lost blocks, FLOODING_CALL one
 * with FLOOD blocks, as if the application were slow. The program ends with the samples.
 */
#include <stdio.h>
#include <stdlib.h>

#include "cmsis_vstream.h"

int app_main(void);

#ifndef SYNTHETIC
#ifdef CMSIS_VSTREAM_AUDIO_IN_MONO
#define CHANNELS 1u
#else
#define CHANNELS 2u
#endif

#define FLOOD 200

extern vStreamDriver_t Driver_vStreamAudioIn;

static FILE *file;
static vStreamEvent_t event;
static int16_t *memory;
static uint32_t blocks;
static uint32_t samples; /* in a block */
static uint32_t next;
static uint32_t is_ready;

static int32_t initialize(vStreamEvent_t an_event) {
    event = an_event;
    file = fopen("in.pcm", "rb");
    return file == NULL ? VSTREAM_ERROR : VSTREAM_OK;
}

static int32_t set_buffer(void *buffer, uint32_t size, uint32_t block_size) {
    memory = buffer;
    blocks = size / block_size;
    samples = block_size / (uint32_t)sizeof *memory;
    return blocks >= 2 && blocks * block_size == size ? VSTREAM_OK : VSTREAM_ERROR_PARAMETER;
}

static int32_t start(uint32_t mode) {
    return mode == VSTREAM_MODE_CONTINUOUS ? VSTREAM_OK : VSTREAM_ERROR_PARAMETER;
}

static int32_t nothing(void) {
    return VSTREAM_OK;
}

static void *get_block(void) {
    return is_ready ? memory + next * samples : NULL;
}

static int32_t release_block(void) {
    next = (next + 1u) % blocks;
    is_ready = 0;
    return VSTREAM_OK;
}

static void give_block(void) {
    int16_t *block = memory + next * samples;
    for (uint32_t i = 0; i < samples; i += CHANNELS) {
        if (fread(block + i, sizeof *block, 1, file) != 1) {
            exit(EXIT_SUCCESS);
        }
        for (uint32_t other = 1; other < CHANNELS; other++) {
            block[i + other] = (int16_t)(i * 40503u);
        }
    }
    is_ready = 1;
    event(VSTREAM_EVENT_DATA);
}

/* Whether this is the call that a variable of the environment names. */
static uint32_t is_named(const char *variable, long call) {
    const char *text = getenv(variable);
    return text != NULL && atol(text) == call;
}

static vStreamStatus_t get_status(void) {
    static long calls;
    const long call = calls++;
    const vStreamStatus_t status = {.active = 1,
                                    .overflow = is_named("OVERFLOWING_CALL", call) & 1u};
    const long count = is_named("FLOODING_CALL", call) ? FLOOD : 1;
    for (long i = 0; i < count; i++) {
        give_block();
    }
    return status;
}

vStreamDriver_t Driver_vStreamAudioIn = {
    initialize, nothing, set_buffer, start, nothing, get_block, release_block, get_status,
};
#endif

int main(void) {
    setvbuf(stdout, NULL, _IOLBF, 0);
    return app_main();
}
