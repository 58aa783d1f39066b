/* SPDX-License-Identifier: Apache-2.0
 *
 * Every step has a bit-exact twin of the same name in asc-tiny's Python model.
 */
#include "asc_frontend.h"

#include <string.h>

#if (-1 >> 1) != -1
#error "the front end needs arithmetic right shifts"
#endif

#define N_FFT ASC_FRONTEND_N_FFT
#define LENGTH (ASC_FRONTEND_N_FFT / 2) /* of the complex transform */
#define MAX_SHIFT 15u
#define LOG2_FRACTION_BITS 16

typedef struct {
    int32_t cosine;
    int32_t sine;
} turn_t;

typedef asc_frontend_complex_t complex_t;

/* (a + b / 2^31) / 2, rounded once. */
static inline int32_t half_sum(int32_t a, int64_t b) {
    const int64_t one = INT64_C(1) << 31;
    return (int32_t)((a * one + b + one) >> 32);
}

/* Half of a + b (cosine - i sine). */
static inline complex_t half_turn(complex_t a, complex_t b, turn_t turn) {
    complex_t half;
    half.re = half_sum(a.re, (int64_t)b.re * turn.cosine + (int64_t)b.im * turn.sine);
    half.im = half_sum(a.im, (int64_t)b.im * turn.cosine - (int64_t)b.re * turn.sine);
    return half;
}

/* cos and sin of 2 pi index / N_FFT in Q31 for index < N_FFT / 2. */
static inline turn_t twiddle(uint32_t index) {
    const uint32_t quarter = N_FFT / 4;
    turn_t turn;
    if (index <= quarter) {
        turn.cosine = asc_frontend_cosine[index];
        turn.sine = asc_frontend_cosine[quarter - index];
    } else {
        turn.cosine = -asc_frontend_cosine[2 * quarter - index];
        turn.sine = asc_frontend_cosine[index - quarter];
    }
    return turn;
}

/* The left shift that fills int16; 15 for a frame of 0 and -1 only. */
static uint32_t headroom(const int16_t *samples) {
    uint32_t magnitude = 0;
    for (uint32_t n = 0; n < N_FFT; n++) {
        const int32_t sample = samples[n];
        magnitude |= (uint32_t)(sample ^ (sample >> 31));
    }
    uint32_t shift = MAX_SHIFT;
    for (; magnitude != 0; magnitude >>= 1) {
        shift--;
    }
    return shift;
}

/* The periodic Hann window in Q31 for n <= N_FFT / 2, from the quarter wave. */
static inline int32_t hann(uint32_t n) {
    const int32_t middle = INT32_C(1) << 30;
    return n <= N_FFT / 4 ? middle - (asc_frontend_cosine[n] >> 1)
                          : middle + (asc_frontend_cosine[N_FFT / 2 - n] >> 1);
}

static inline int32_t windowed(int16_t sample, int32_t gain, int32_t weight) {
    return (int32_t)(((int64_t)weight * (sample * gain) + 0x8000) >> 16);
}

/* Even samples become the real parts, odd ones the imaginary parts, in bit-reversed order. */
static void load(complex_t *z, const int16_t *samples, uint32_t shift) {
    const int32_t gain = INT32_C(1) << shift;
    uint32_t reversed = 0;
    for (uint32_t k = 0; k < LENGTH; k++) {
        const uint32_t even = 2 * k;
        const uint32_t odd = even + 1;
        z[reversed].re = windowed(samples[even], gain, hann(even < LENGTH ? even : N_FFT - even));
        z[reversed].im = windowed(samples[odd], gain, hann(odd < LENGTH ? odd : N_FFT - odd));
        uint32_t bit = LENGTH / 2;
        for (; (reversed & bit) != 0; bit >>= 1) {
            reversed ^= bit;
        }
        reversed |= bit;
    }
}

static inline void store_butterfly(complex_t *a, complex_t *b, complex_t half) {
    b->re = a->re - half.re;
    b->im = a->im - half.im;
    *a = half;
}

/* Complex transform in place, scaled by 1 / LENGTH (radix 2, in time). */
static void fft(complex_t *z) {
    for (uint32_t half = 1; half < LENGTH; half *= 2) {
        for (uint32_t k = 0; k < LENGTH; k += 2 * half) {
            complex_t *a = z + k;
            complex_t *b = a + half;
            /* A turn by zero is exact. */
            const complex_t sum = {(int32_t)(((int64_t)a->re + b->re + 1) >> 1),
                                   (int32_t)(((int64_t)a->im + b->im + 1) >> 1)};
            store_butterfly(a, b, sum);
        }
        for (uint32_t j = 1; j < half; j++) {
            const turn_t turn = twiddle(j * (LENGTH / half));
            for (uint32_t k = j; k < LENGTH; k += 2 * half) {
                store_butterfly(z + k, z + k + half, half_turn(z[k], z[k + half], turn));
            }
        }
    }
}

static inline uint64_t squared(int32_t re, int32_t im) {
    return (uint64_t)((int64_t)re * re + (int64_t)im * im);
}

/* Turns the complex transform into the power of bins 0 to LENGTH - 1 of the real samples'
 * spectrum, in place. The Nyquist bin lies on or above the last mel edge: its weight is zero. */
static void power_spectrum(asc_frontend_t *frontend) {
    const complex_t *z = frontend->work.spectrum;
    uint64_t *power = frontend->work.power;
    power[0] = squared(z[0].re + z[0].im, 0);
    for (uint32_t k = 1; k < LENGTH / 2; k++) {
        const complex_t low = z[k];
        const complex_t high = z[LENGTH - k];
        const complex_t even = {low.re + high.re, low.im - high.im};
        const complex_t odd = {low.im + high.im, high.re - low.re};
        const complex_t sum = half_turn(even, odd, twiddle(k));
        power[k] = squared(sum.re, sum.im);
        power[LENGTH - k] = squared(even.re - sum.re, even.im - sum.im);
    }
    power[LENGTH / 2] = squared(z[LENGTH / 2].re, z[LENGTH / 2].im);
}

static inline uint32_t floor_log2(uint64_t value) {
#if defined(__GNUC__)
    return 63u - (uint32_t)__builtin_clzll(value);
#else
    uint32_t exponent = 0;
    for (; value > 1; value >>= 1) {
        exponent++;
    }
    return exponent;
#endif
}

/* log2 of a positive integer in Q16, by 64 chords. */
static int32_t fixed_log2(uint64_t value) {
    const uint32_t exponent = floor_log2(value);
    const uint32_t mantissa = (uint32_t)((value << (63u - exponent)) >> 32);
    const uint32_t index = (mantissa >> 25) & 63u;
    const uint32_t fraction = (mantissa & 0x1FFFFFFu) >> 9;
    const uint32_t chord = asc_frontend_log2_base[index] +
                           ((asc_frontend_log2_slope[index] * fraction + 0x8000u) >> 16);
    return (int32_t)((exponent << LOG2_FRACTION_BITS) + chord);
}

/* Visits every bin once: a segment between two mel edges is the rising side of one band and, by
 * what is left of its sum, the falling side of the band before. */
static void log2_mel(int32_t *column, const uint64_t *power, uint32_t shift) {
    const uint64_t floor = ASC_FRONTEND_FLOOR >> (2 * (MAX_SHIFT - shift));
    const int32_t exponent = 2 * (ASC_FRONTEND_SCALE_LOG2 + (int32_t)shift);
    uint64_t rising_before = 0;
    for (uint32_t segment = 0; segment <= ASC_FRONTEND_N_MELS; segment++) {
        const uint32_t end = asc_frontend_segment_bin[segment + 1];
        uint32_t weight = asc_frontend_segment_start[segment];
        uint64_t rising = 0;
        uint64_t total = 0;
        for (uint32_t k = asc_frontend_segment_bin[segment]; k < end; k++) {
            const uint32_t low = (uint32_t)power[k];
            const uint32_t high = (uint32_t)(power[k] >> 32);
            rising += (uint64_t)high * weight + (((uint64_t)low * weight) >> 32);
            total += power[k];
            weight += asc_frontend_segment_step[segment];
        }
        if (segment > 0) {
            const uint64_t band = rising_before + total - rising;
            column[segment - 1] = fixed_log2(band + floor) - exponent * (1 << LOG2_FRACTION_BITS);
        }
        rising_before = rising;
    }
}

static void compute_frame(asc_frontend_t *frontend) {
    const uint32_t shift = headroom(frontend->samples);
    load(frontend->work.spectrum, frontend->samples, shift);
    fft(frontend->work.spectrum);
    power_spectrum(frontend);
    log2_mel(frontend->history[frontend->frames % ASC_FRONTEND_HISTORY], frontend->work.power,
             shift);
    frontend->frames++;
    frontend->ready = frontend->frames >= ASC_FRONTEND_HISTORY;
    frontend->filled -= ASC_FRONTEND_HOP;
    memmove(frontend->samples, frontend->samples + ASC_FRONTEND_HOP,
            frontend->filled * sizeof frontend->samples[0]);
}

static inline int8_t requantise(int32_t value, const asc_frontend_requantisation_t *to) {
    const int64_t code = ((int64_t)value * to->multiplier + to->offset) >> to->shift;
    return (int8_t)(code < -128 ? -128 : code > 127 ? 127 : code);
}

static void write_column(const asc_frontend_t *frontend, int8_t *features, size_t stride) {
    const asc_frontend_requantisation_t *to = asc_frontend_requantisation;
    const int32_t *x[ASC_FRONTEND_HISTORY]; /* oldest first */
    for (uint32_t t = 0; t < ASC_FRONTEND_HISTORY; t++) {
        x[t] = frontend->history[(frontend->frames + t) % ASC_FRONTEND_HISTORY];
    }
    for (uint32_t m = 0; m < ASC_FRONTEND_N_MELS; m++, features += stride) {
#if ASC_FRONTEND_DELTAS
        const int32_t near = x[5][m] - x[3][m];
        const int32_t far = x[6][m] - x[2][m];
        /* The first delta applied twice, times 100. */
        const int32_t second = 4 * (x[0][m] + x[1][m] + x[7][m] + x[8][m]) + x[2][m] + x[6][m] -
                               4 * (x[3][m] + x[5][m]) - 10 * x[4][m];
        for (uint32_t c = 0; c < ASC_FRONTEND_CHANNELS; c += 3) {
            features[c] = requantise(x[4][m], &to[c]);
            features[c + 1] = requantise(near + 2 * far, &to[c + 1]);
            features[c + 2] = requantise(second, &to[c + 2]);
        }
#else
        for (uint32_t c = 0; c < ASC_FRONTEND_CHANNELS; c++) {
            features[c] = requantise(x[0][m], &to[c]);
        }
#endif
    }
}

static void start_clip(asc_frontend_t *frontend) {
    frontend->filled = N_FFT / 2;
    memset(frontend->samples, 0, frontend->filled * sizeof frontend->samples[0]);
    frontend->received = 0;
    frontend->frames = 0;
    frontend->ready = 0;
}

static int clip_is_over(const asc_frontend_t *frontend) {
    return frontend->received == ASC_FRONTEND_CLIP_SAMPLES &&
           frontend->frames == ASC_FRONTEND_FRAMES && !frontend->ready;
}

/* Computes the frames that reach beyond the clip's end, up to the next column. */
static void pad_clip(asc_frontend_t *frontend) {
    while (!frontend->ready && frontend->frames < ASC_FRONTEND_FRAMES) {
        memset(frontend->samples + frontend->filled, 0,
               (N_FFT - frontend->filled) * sizeof frontend->samples[0]);
        frontend->filled = N_FFT;
        compute_frame(frontend);
    }
}

void asc_frontend_init(asc_frontend_t *frontend) {
    memset(frontend, 0, sizeof *frontend);
    start_clip(frontend);
}

size_t asc_frontend_push(asc_frontend_t *frontend, const int16_t *pcm, size_t count) {
    size_t taken = 0;
    while (taken < count && !frontend->ready && frontend->received < ASC_FRONTEND_CLIP_SAMPLES) {
        const size_t space = N_FFT - frontend->filled;
        const size_t left = ASC_FRONTEND_CLIP_SAMPLES - frontend->received;
        size_t part = count - taken;
        part = part < left ? part : left;
        /* With a hop above half a window, a clip's last samples may belong to no frame. */
        if (frontend->frames < ASC_FRONTEND_FRAMES) {
            part = part < space ? part : space;
            memcpy(frontend->samples + frontend->filled, pcm + taken, part * sizeof pcm[0]);
            frontend->filled += (uint32_t)part;
        }
        frontend->received += (uint32_t)part;
        taken += part;
        if (frontend->filled == N_FFT) {
            compute_frame(frontend);
        }
        if (clip_is_over(frontend)) {
            start_clip(frontend);
        }
    }
    return taken;
}

int asc_frontend_pop(asc_frontend_t *frontend, int8_t *features, size_t stride) {
    if (frontend->received == ASC_FRONTEND_CLIP_SAMPLES) {
        pad_clip(frontend);
    }
    if (!frontend->ready) {
        return 0;
    }
    write_column(frontend, features, stride);
    frontend->ready = 0;
    if (clip_is_over(frontend)) {
        start_clip(frontend);
    }
    return 1;
}
