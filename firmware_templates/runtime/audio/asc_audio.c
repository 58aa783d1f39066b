/* SPDX-License-Identifier: Apache-2.0 */
#include "asc_audio.h"

#include <string.h>

#include "asc_atomic.h"

static uint32_t next(uint32_t block) {
    return block + 1u == ASC_AUDIO_BLOCKS ? 0u : block + 1u;
}

void asc_audio_init(asc_audio_t *audio) {
    memset(audio, 0, sizeof *audio);
}

int16_t *asc_audio_fill(asc_audio_t *audio) {
    return audio->samples[audio->filling];
}

void asc_audio_filled(asc_audio_t *audio) {
    const uint32_t following = next(audio->filling);
    if (following == asc_atomic_load(&audio->oldest)) {
        asc_atomic_store(&audio->overruns, audio->overruns + 1u);
    } else {
        asc_atomic_store(&audio->filling, following);
    }
}

void asc_audio_write(asc_audio_t *audio, const int16_t *pcm, size_t count) {
    while (count > 0) {
        const size_t room = ASC_AUDIO_BLOCK - audio->written;
        const size_t part = count < room ? count : room;
        memcpy(asc_audio_fill(audio) + audio->written, pcm, part * sizeof *pcm);
        audio->written += (uint32_t)part;
        pcm += part;
        count -= part;
        if (audio->written == ASC_AUDIO_BLOCK) {
            audio->written = 0;
            asc_audio_filled(audio);
        }
    }
}

const int16_t *asc_audio_take(asc_audio_t *audio) {
    const uint32_t oldest = audio->oldest;
    audio->taken = oldest != asc_atomic_load(&audio->filling);
    return audio->taken ? audio->samples[oldest] : NULL;
}

void asc_audio_release(asc_audio_t *audio) {
    if (audio->taken) {
        audio->taken = 0;
        asc_atomic_store(&audio->oldest, next(audio->oldest));
    }
}

uint32_t asc_audio_overruns(const asc_audio_t *audio) {
    return asc_atomic_load(&audio->overruns);
}
