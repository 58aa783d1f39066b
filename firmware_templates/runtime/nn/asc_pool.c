/* SPDX-License-Identifier: Apache-2.0
 *
 * Pooling over windows of pixels; see asc_kernels.h. Cores with Helium take the largest in
 * asc_pool_mve.c.
 */
#include <stddef.h>
#include <string.h>

#include "asc_arithmetic.h"
#include "asc_dsp.h"
#include "asc_kernels.h"

/* The columns of a pooling window that lie inside the input. */
typedef struct {
    int32_t begin;
    int32_t end;
} asc_range_t;

static asc_range_t columns_inside(const asc_pool_t *layer, int32_t x) {
    const int32_t begin = x * layer->window.stride - layer->window.left;
    asc_range_t range;
    range.begin = asc_max(begin, 0);
    range.end = asc_min(begin + layer->window.width, layer->input_width);
    return range;
}

/* Rounded to nearest, halves away from zero. */
static inline int32_t rounded_quotient(int32_t sum, int32_t count) {
    return (sum > 0 ? sum + count / 2 : sum - count / 2) / count;
}

static int32_t window_average(const asc_pool_t *layer, const int8_t *const *rows,
                              asc_range_t columns, int32_t channel) {
    int32_t sum = 0;
    int32_t count = 0;
    for (int32_t y = 0; y < layer->window.height; y++) {
        if (rows[y] != NULL) {
            for (int32_t x = columns.begin; x < columns.end; x++) {
                sum += rows[y][x * layer->input_channels + channel];
            }
            count += columns.end - columns.begin;
        }
    }
    return rounded_quotient(sum, count);
}

typedef int32_t (*reduce_t)(const asc_pool_t *, const int8_t *const *, asc_range_t, int32_t);

static void pool(const asc_pool_t *layer, const asc_kernel_args_t *args, reduce_t reduce) {
    int8_t *output = args->output;
    for (int32_t x = 0; x < layer->output_width; x++) {
        const asc_range_t columns = columns_inside(layer, x);
        for (int32_t c = 0; c < layer->output_channels; c++) {
            const int32_t value = reduce(layer, args->rows, columns, c);
            *output++ = (int8_t)asc_min(asc_max(value, layer->minimum), layer->maximum);
        }
    }
}

#if ASC_KERNELS_DSP

/* Means of `count` channels from `channel` on, at most four. */
static void average_channels(const asc_pool_t *layer, const int8_t *const *rows,
                             asc_range_t columns, int32_t channel, int32_t count, int8_t *output) {
    const int32_t channels = layer->input_channels;
    const int32_t width = columns.end - columns.begin;
    uint32_t even = 0, odd = 0;
    int32_t pixels = 0;
    for (int32_t y = 0; y < layer->window.height; y++) {
        if (rows[y] != NULL) {
            const int8_t *const first = rows[y] + columns.begin * channels + channel;
            asc_add_pixels(first, channels, width, &even, &odd);
            pixels += width;
        }
    }
    const int32_t sums[4] = {(int16_t)even, (int16_t)odd, (int32_t)even >> 16, (int32_t)odd >> 16};
    for (int32_t i = 0; i < count; i++) {
        const int32_t mean = rounded_quotient(sums[i], pixels);
        output[i] = (int8_t)asc_min(asc_max(mean, layer->minimum), layer->maximum);
    }
}

void asc_average_pool(const void *data, const asc_kernel_args_t *args) {
    const asc_pool_t *layer = data;
    const int32_t channels = layer->output_channels;
    int8_t *output = args->output;
    if (layer->window.height * layer->window.width > ASC_MOST_PIXELS) {
        pool(layer, args, window_average);
        return;
    }
    for (int32_t x = 0; x < layer->output_width; x++, output += channels) {
        const asc_range_t columns = columns_inside(layer, x);
        for (int32_t c = 0; c < channels; c += 4) {
            average_channels(layer, args->rows, columns, c, asc_min(channels - c, 4), output + c);
        }
    }
}

#else

void asc_average_pool(const void *layer, const asc_kernel_args_t *args) {
    pool(layer, args, window_average);
}

#endif

#if !ASC_KERNELS_MVE

static int32_t window_max(const asc_pool_t *layer, const int8_t *const *rows, asc_range_t columns,
                          int32_t channel) {
    int32_t best = INT8_MIN;
    for (int32_t y = 0; y < layer->window.height; y++) {
        if (rows[y] != NULL) {
            for (int32_t x = columns.begin; x < columns.end; x++) {
                best = asc_max(best, rows[y][x * layer->input_channels + channel]);
            }
        }
    }
    return best;
}

#if defined(__ARM_FEATURE_DSP) && defined(__GNUC__)

/* The larger of each of four values. */
static inline uint32_t max_of_four(uint32_t a, uint32_t b) {
    uint32_t result;
    __asm__("ssub8 %0, %1, %2\n\tsel %0, %1, %2" : "=&r"(result) : "r"(a), "r"(b) : "cc");
    return result;
}

/* The largest of `rows` x `columns` pixels, four channels; a row may be padding. */
static uint32_t window_max_of_four(const int8_t *const *rows, int32_t height, int32_t first,
                                   int32_t columns, int32_t step) {
    uint32_t best = 0x80808080u;
    for (int32_t y = 0; y < height; y++) {
        if (rows[y] != NULL) {
            const int8_t *value = rows[y] + first;
            for (int32_t x = 0; x < columns; x++, value += step) {
                best = max_of_four(best, asc_load_word(value));
            }
        }
    }
    return best;
}

#if ASC_KERNELS_DSP

/* Windows of two pixels of two rows, side by side: the commonest. */
typedef struct {
    const int8_t *above;
    const int8_t *below;
    int32_t channels; /* at least 4 */
    int8_t *output;
    int32_t pixels; /* of the output, at least 1 */
} asc_pool_2x2_t;

ASC_ASSERT_OFFSET(asc_pool_2x2_t, above, 0);
ASC_ASSERT_OFFSET(asc_pool_2x2_t, below, 4);
ASC_ASSERT_OFFSET(asc_pool_2x2_t, channels, 8);
ASC_ASSERT_OFFSET(asc_pool_2x2_t, output, 12);
ASC_ASSERT_OFFSET(asc_pool_2x2_t, pixels, 16);

/* Four channels at a time; the last four of a pixel may overlap those before. */
static void max_of_2x2(const asc_pool_2x2_t *windows) {
    register const asc_pool_2x2_t *r0 __asm__("r0") = windows;
    __asm__ volatile("ldm r0, {r1, r2, r3, r4, r5}\n\t"
                     "1:\n\t"
                     "sub r6, r3, #4\n\t"
                     "2:\n\t"
                     "ldr r10, [r1, r3]\n\t"
                     "ldr r11, [r2, r3]\n\t"
                     "ldr r8, [r1], #4\n\t"
                     "ldr r12, [r2], #4\n\t"
                     "ssub8 r14, r10, r11\n\t"
                     "sel r10, r10, r11\n\t"
                     "ssub8 r14, r8, r12\n\t"
                     "sel r8, r8, r12\n\t"
                     "ssub8 r14, r8, r10\n\t"
                     "sel r8, r8, r10\n\t"
                     "str r8, [r4], #4\n\t"
                     "subs r6, #4\n\t"
                     "bge 2b\n\t"
                     "cmn r6, #4\n\t"
                     "beq 3f\n\t"
                     "add r1, r6\n\t"
                     "add r2, r6\n\t"
                     "add r4, r6\n\t"
                     "mov r6, #0\n\t"
                     "b 2b\n\t"
                     "3:\n\t"
                     "add r1, r3\n\t"
                     "add r2, r3\n\t"
                     "subs r5, #1\n\t"
                     "bne 1b"
                     : "+r"(r0)
                     :
                     : "r1", "r2", "r3", "r4", "r5", "r6", "r8", "r10", "r11", "r12", "r14", "cc",
                       "memory");
}

/* Whether the layer's windows are such, all inside of the rows. */
static int is_2x2(const asc_pool_t *layer, const int8_t *const *rows) {
    const asc_window_t *window = &layer->window;
    return window->height == 2 && window->width == 2 && window->stride == 2 && window->left == 0 &&
           2 * layer->output_width <= layer->input_width && rows[0] != NULL && rows[1] != NULL;
}

#endif

void asc_max_pool(const void *data, const asc_kernel_args_t *args) {
    const asc_pool_t *layer = data;
    const int32_t channels = layer->input_channels;
    int8_t *output = args->output;
    if (channels < 4 || layer->minimum != INT8_MIN || layer->maximum != INT8_MAX) {
        pool(layer, args, window_max);
        return;
    }
#if ASC_KERNELS_DSP
    if (is_2x2(layer, args->rows)) {
        const asc_pool_2x2_t windows = {args->rows[0], args->rows[1], channels, output,
                                        layer->output_width};
        max_of_2x2(&windows);
        return;
    }
#endif
    for (int32_t x = 0; x < layer->output_width; x++, output += channels) {
        const asc_range_t columns = columns_inside(layer, x);
        for (int32_t c = 0; c < channels; c += 4) {
            /* The last four channels may overlap those before. */
            const int32_t channel = asc_min(c, channels - 4);
            const uint32_t best = window_max_of_four(args->rows, layer->window.height,
                                                     columns.begin * channels + channel,
                                                     columns.end - columns.begin, channels);
            memcpy(output + channel, &best, sizeof best);
        }
    }
}

#else

void asc_max_pool(const void *layer, const asc_kernel_args_t *args) {
    pool(layer, args, window_max);
}

#endif

#endif
