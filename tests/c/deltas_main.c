/* SPDX-License-Identifier: Apache-2.0
 *
 * The products of deltas on a core that multiplies to 32 bits: writes all tenths to one file of the
 * host, and to another what each reciprocal of a third makes of second deltas.
 */
#include "asc_frontend_thumb1.h"
#include "platform.h"

enum { MOST = 6 << 15, SECOND_MOST = 117966, SECOND_STEP = 331, AT_ONCE = 512 };

static int32_t values[AT_ONCE];
static uint32_t filled;

static void flush(int to) {
    platform_write(to, values, filled * sizeof values[0]);
    filled = 0;
}

static void put(int to, int32_t value) {
    values[filled++] = value;
    if (filled == AT_ONCE) {
        flush(to);
    }
}

/* Arguments: reciprocals, tenths, second deltas. */
int main(int argc, char **argv) {
    int32_t reciprocal;
    if (argc != 4) {
        return 2;
    }
    const int from = platform_open(argv[1], "rb");
    const int tenths = platform_open(argv[2], "wb");
    for (int32_t x = -MOST; x <= MOST; x++) {
        put(tenths, tenth(x));
    }
    flush(tenths);
    platform_close(tenths);
    const int seconds = platform_open(argv[3], "wb");
    while (platform_read(from, &reciprocal, sizeof reciprocal) == sizeof reciprocal) {
        for (int32_t x = -SECOND_MOST; x <= SECOND_MOST; x += SECOND_STEP) {
            put(seconds, add_second_delta(-7, x, reciprocal));
        }
    }
    flush(seconds);
    platform_close(seconds);
    return 0;
}
