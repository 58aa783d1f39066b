/* SPDX-License-Identifier: Apache-2.0
 *
 * Windows as columns side by side on cores with the DSP extension, which widen four codes at a
 * time; a part of asc_conv.c.
 */
#ifndef ASC_IM2COL_DSP_H
#define ASC_IM2COL_DSP_H

#include "asc_arithmetic.h"
#include "asc_dsp.h"
#include "asc_kernels.h"

/* Four codes, scaled. once: whether sums are rounded once; a constant, here and below. */
ASC_INLINE void widen_word(uint32_t bytes, int once, int16_t *to) {
    const asc_pairs_t pairs = asc_scale_four(bytes, once);
    const uint32_t low = asc_pack_low(pairs.even, pairs.odd);
    const uint32_t high = asc_pack_high(pairs.even, pairs.odd);
    memcpy(to, &low, sizeof low);
    memcpy(to + 2, &high, sizeof high);
}

/* Rows of pixels of up to four channels; a row of padding is one word, and is not gone along. */
typedef struct {
    const int8_t *from;
    int32_t step;
} asc_pixels_t;

ASC_INLINE void put_pixel(asc_pixels_t *row, int once, int16_t *to) {
    widen_word(asc_load_word(row->from), once, to);
    row->from += row->step;
}

/* Columns whose windows are one to three rows high: a pixel is a word, and what it holds too much
 * is written over by the pixel behind it. */
ASC_INLINE void put_columns(const asc_pixels_t *rows, int32_t height, int32_t channels,
                            int32_t columns, int once, int16_t *wide) {
    asc_pixels_t first = rows[0], second = rows[1], third = rows[2];
    const int32_t size = (height * channels + 1) / 2 * 2;
    for (; columns > 0; columns--, wide += size) {
        put_pixel(&first, once, wide);
        if (height > 1) {
            put_pixel(&second, once, wide + channels);
        }
        if (height > 2) {
            put_pixel(&third, once, wide + 2 * channels);
        }
    }
}

/* As arrange, for up to four channels. */
ASC_INLINE void arrange_few(const asc_conv_t *layer, const int8_t *const *rows, int once,
                            int16_t *wide) {
    const int32_t height = layer->window.height;
    const int32_t channels = layer->input_channels;
    const int32_t rest = layer->column_size - height * channels;
    const uint32_t zero = (uint32_t)(layer->input_zero_point & 0xFF) * 0x01010101u;
    const int32_t input_width = layer->input_width;
    const int32_t last = layer->columns - layer->window.left;
    for (int32_t x = -layer->window.left; x < last;) {
        const int is_inside = (uint32_t)x < (uint32_t)input_width;
        if (is_inside && height <= 3) {
            const int32_t count = asc_min(last, input_width) - x;
            asc_pixels_t from[3];
            for (int32_t y = 0; y < 3; y++) {
                const int is_there = y < height && rows[y] != NULL;
                from[y].from = is_there ? rows[y] + x * channels : (const int8_t *)&zero;
                from[y].step = is_there ? channels : 0;
            }
            if (height == 3) {
                put_columns(from, 3, channels, count, once, wide);
            } else {
                put_columns(from, height, channels, count, once, wide);
            }
            x += count;
            wide += count * layer->column_size;
            continue;
        }
        for (int32_t y = 0; y < height; y++, wide += channels) {
            const int is_there = is_inside && rows[y] != NULL;
            widen_word(is_there ? asc_load_word(rows[y] + x * channels) : zero, once, wide);
        }
        x++;
        wide += rest;
    }
}

/* As arrange_row, for one channel. */
ASC_INLINE void arrange_codes(const asc_conv_t *layer, const int8_t *from, int once,
                              int16_t *wide) {
    const int32_t scale = once ? ASC_ONCE_SCALE : 2;
    const int32_t step = layer->column_size;
    const int32_t left = layer->window.left;
    const int16_t zero = (int16_t)(scale * layer->input_zero_point);
    const int32_t end = from == NULL ? -left : asc_min(layer->columns - left, layer->input_width);
    int32_t x = -left;
    for (; x < 0 && x < end; x++, wide += step) {
        *wide = zero;
    }
    for (; x < end; x++, wide += step) {
        *wide = (int16_t)(scale * from[x]);
    }
    for (; x < layer->columns - left; x++, wide += step) {
        *wide = zero;
    }
}

#endif
