/* SPDX-License-Identifier: Apache-2.0 */
#include "asc_audio.h"

#include <string.h>

/* A block's samples must be there before the number that hands it over, for the compiler, and
 * where interrupt and application are on two cores, for the memory too. Needs loads and stores of
 * 32 bits that are single instructions, and no read-modify-write. */
#if defined(ASC_AUDIO_BARRIER)
static uint32_t load(const volatile uint32_t *from) {
    const uint32_t value = *from;
    ASC_AUDIO_BARRIER();
    return value;
}

static void store(volatile uint32_t *to, uint32_t value) {
    ASC_AUDIO_BARRIER();
    *to = value;
}
#elif defined(__GNUC__)
static uint32_t load(const volatile uint32_t *from) {
    return __atomic_load_n(from, __ATOMIC_ACQUIRE);
}

static void store(volatile uint32_t *to, uint32_t value) {
    __atomic_store_n(to, value, __ATOMIC_RELEASE);
}
#else
#error "define ASC_AUDIO_BARRIER() as a barrier to memory and compiler, such as CMSIS's __DMB()"
#endif

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
    if (following == load(&audio->oldest)) {
        store(&audio->overruns, audio->overruns + 1u);
    } else {
        store(&audio->filling, following);
    }
}

void asc_audio_write(asc_audio_t *audio, const int16_t *pcm, size_t count) {
    while (count > 0) {
        const size_t room = ASC_AUDIO_BLOCK - audio->written;
        const size_t part = count < room ? count : room;
        memcpy(asc_audio_fill(audio) + audio->written, pcm, part * sizeof *pcm);
        audio->written += (uint32_t)part;
        pcm += part, count -= part;
        if (audio->written == ASC_AUDIO_BLOCK) {
            audio->written = 0;
            asc_audio_filled(audio);
        }
    }
}

const int16_t *asc_audio_take(asc_audio_t *audio) {
    const uint32_t oldest = audio->oldest;
    audio->taken = oldest != load(&audio->filling);
    return audio->taken ? audio->samples[oldest] : NULL;
}

void asc_audio_release(asc_audio_t *audio) {
    if (audio->taken) {
        audio->taken = 0;
        store(&audio->oldest, next(audio->oldest));
    }
}

uint32_t asc_audio_overruns(const asc_audio_t *audio) {
    return load(&audio->overruns);
}
