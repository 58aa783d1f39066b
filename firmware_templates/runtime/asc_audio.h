/* SPDX-License-Identifier: Apache-2.0
 *
 * Samples from an interrupt (or a DMA's callback, or another core) to the application, without
 * locks: one side fills a block while the other reads the one before.
 *
 *     static asc_audio_t audio;                        // asc_audio_init(&audio) before the first
 *     void dma_complete(void) {                        // the interrupt
 *         asc_audio_filled(&audio);
 *         start_dma(asc_audio_fill(&audio), ASC_AUDIO_BLOCK);
 *     }
 *     for (;;) {                                       // the application
 *         const int16_t *block = asc_audio_take(&audio);
 *         if (block != NULL) { use(block, ASC_AUDIO_BLOCK); asc_audio_release(&audio); }
 *     }
 *
 * The interrupt owns the block it fills, the application those that are complete and not released:
 * none belongs to both. If the application is too slow, the newest block is lost: it is filled
 * again and counted.
 */
#ifndef ASC_AUDIO_H
#define ASC_AUDIO_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Samples in a block, and blocks. The application may be busy for ASC_AUDIO_BLOCKS - 1 blocks
 * before one is lost. To change them, define them for all files. */
#ifndef ASC_AUDIO_BLOCK
#define ASC_AUDIO_BLOCK 1024u
#endif
#ifndef ASC_AUDIO_BLOCKS
#define ASC_AUDIO_BLOCKS 2u
#endif
#if ASC_AUDIO_BLOCK < 1 || ASC_AUDIO_BLOCKS < 2
#error "asc_audio needs ASC_AUDIO_BLOCK of 1 sample or more and ASC_AUDIO_BLOCKS of 2 or more"
#endif

typedef struct {
    int16_t samples[ASC_AUDIO_BLOCKS][ASC_AUDIO_BLOCK];
    volatile uint32_t filling;  /* block that the interrupt owns; it alone writes this */
    volatile uint32_t oldest;   /* complete block, if not `filling`; the application alone writes */
    volatile uint32_t overruns; /* the interrupt alone writes this */
    uint32_t written;           /* samples in `filling`; the interrupt's own */
    uint32_t taken;             /* whether the application reads `oldest`; its own */
} asc_audio_t;

/* To be called before the interrupt is enabled. */
void asc_audio_init(asc_audio_t *audio);

/* Interrupt: where the next block is to be written; never NULL. */
int16_t *asc_audio_fill(asc_audio_t *audio);

/* Interrupt: that block is complete. If the application holds all others, it is lost. */
void asc_audio_filled(asc_audio_t *audio);

/* Interrupt, for drivers with blocks and buffers of their own: copies `count` samples instead of
 * the two calls above. */
void asc_audio_write(asc_audio_t *audio, const int16_t *pcm, size_t count);

/* Application: the oldest complete block, the same until it is released; NULL if there is none. */
const int16_t *asc_audio_take(asc_audio_t *audio);

/* Application: done with the block that was taken. */
void asc_audio_release(asc_audio_t *audio);

/* Blocks lost since asc_audio_init, modulo 2^32. */
uint32_t asc_audio_overruns(const asc_audio_t *audio);

#ifdef __cplusplus
}
#endif

#endif
