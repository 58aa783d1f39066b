/* SPDX-License-Identifier: Apache-2.0
 *
 * Frames of a clip or of a stream; asc_frontend_steps.h has what is made of each.
 */
#include "asc_frontend.h"

#include <string.h>

#include "asc_frontend_steps.h"

/* Keeps what the next frame shares with this one. */
static void advance(asc_frontend_t *frontend) {
    frontend->filled = FRAME - HOP;
#if HOP >= AT_ONCE
    copy(frontend->frame.samples, frontend->frame.samples + HOP, FRAME - HOP);
#else
    memmove(frontend->frame.samples, frontend->frame.samples + HOP,
            (FRAME - HOP) * sizeof frontend->frame.samples[0]);
#endif
}

/* Returns whether the frame completed a column. */
static int compute_frame(asc_frontend_t *frontend, int8_t *features, size_t stride) {
    const uint32_t shift = headroom(frontend);
    int8_t unused[ASC_FRONTEND_CHANNELS];
    const int complete = frontend->frames + 1 >= ASC_FRONTEND_HISTORY;
    asc_spectrum_power(&frontend->spectrum, frontend->frame.pairs, shift);
#ifdef ASC_FRONTEND_MAGNITUDE
    take_roots(frontend);
#endif
    log_mel(frontend, shift);
    write_column(frontend, complete ? features : unused, complete ? stride : 0);
    advance(frontend);
    return complete;
}

/* Adds samples to the frame, as many as it lacks at most. */
static size_t fill_frame(asc_frontend_t *frontend, const asc_sample_t *pcm, size_t count) {
    const size_t space = FRAME - frontend->filled;
    const size_t taken = count < space ? count : space;
    copy(frontend->frame.samples + frontend->filled, pcm, taken);
    frontend->filled += (uint32_t)taken;
    return taken;
}

#if ASC_FRONTEND_CONTINUOUS

void asc_frontend_init(asc_frontend_t *frontend) {
    memset(frontend, 0, sizeof *frontend);
    frontend->filled = ASC_FRONTEND_LEAD;
}

size_t asc_frontend_push(asc_frontend_t *frontend, const asc_sample_t *pcm, size_t count) {
    return fill_frame(frontend, pcm, count);
}

#ifdef ASC_FRONTEND_PCEN

/* The smoothed energies are those of all frames. */
static inline void leave_out(asc_frontend_t *frontend) {
    int8_t unused[ASC_FRONTEND_CHANNELS];
    (void)compute_frame(frontend, unused, 0);
}

#else

static inline void leave_out(asc_frontend_t *frontend) {
    frontend->kept = 0;
    advance(frontend);
}

#endif

int asc_frontend_pop(asc_frontend_t *frontend, int8_t *features, size_t stride) {
    if (frontend->filled < FRAME) {
        return 0;
    }
    if (frontend->skipped > 0) {
        frontend->skipped--;
        leave_out(frontend);
        return 0;
    }
    if (compute_frame(frontend, features, stride)) {
        return 1;
    }
    frontend->frames++;
    return 0;
}

void asc_frontend_skip(asc_frontend_t *frontend, uint32_t columns) {
#ifdef ASC_FRONTEND_PCEN
    frontend->skipped = columns;
#else
    /* Frames that a column needs before its last one are computed already, or must be. */
    const uint32_t before = ASC_FRONTEND_HISTORY - 1u;
    const uint32_t missed = columns < before ? columns : before;
    frontend->frames = before - missed;
    frontend->skipped = columns - missed;
#endif
}

#else

static void start_clip(asc_frontend_t *frontend) {
#ifdef ASC_FRONTEND_PCEN
    memset(frontend->smoothed, 0, sizeof frontend->smoothed);
    memset(frontend->smoothed_exponent, 0, sizeof frontend->smoothed_exponent);
#endif
    frontend->filled = ASC_FRONTEND_LEAD;
    frontend->kept = 0;
    memset(frontend->frame.samples, 0, frontend->filled * sizeof frontend->frame.samples[0]);
    frontend->received = 0;
    frontend->frames = 0;
}

static void start_clip_if_over(asc_frontend_t *frontend) {
    if (frontend->received == ASC_FRONTEND_CLIP_SAMPLES &&
        frontend->frames == ASC_FRONTEND_FRAMES) {
        start_clip(frontend);
    }
}

/* Whether the samples of a frame are there, zeros beyond the clip's end included. */
static int frame_is_complete(asc_frontend_t *frontend) {
    if (frontend->frames == ASC_FRONTEND_FRAMES) {
        return 0;
    }
    if (frontend->received == ASC_FRONTEND_CLIP_SAMPLES) {
        memset(frontend->frame.samples + frontend->filled, 0,
               (FRAME - frontend->filled) * sizeof frontend->frame.samples[0]);
        frontend->filled = FRAME;
    }
    return frontend->filled == FRAME;
}

void asc_frontend_init(asc_frontend_t *frontend) {
    memset(frontend, 0, sizeof *frontend);
    start_clip(frontend);
}

size_t asc_frontend_push(asc_frontend_t *frontend, const asc_sample_t *pcm, size_t count) {
    size_t taken = ASC_FRONTEND_CLIP_SAMPLES - frontend->received;
    taken = taken < count ? taken : count;
    /* With a hop above half a window, a clip's last samples may belong to no frame. */
    if (frontend->frames < ASC_FRONTEND_FRAMES) {
        taken = fill_frame(frontend, pcm, taken);
    }
    frontend->received += (uint32_t)taken;
    start_clip_if_over(frontend);
    return taken;
}

int asc_frontend_pop(asc_frontend_t *frontend, int8_t *features, size_t stride) {
    while (frame_is_complete(frontend)) {
        const int complete = compute_frame(frontend, features, stride);
        frontend->frames++;
        start_clip_if_over(frontend);
        if (complete) {
            return 1;
        }
    }
    return 0;
}

#endif
