/* SPDX-License-Identifier: Apache-2.0
 *
 * The resampler alone on an emulated core: reads samples from a file of the host in chunks of
 * changing size, writes what comes out to another, and prints the instructions spent on all of it,
 * the samples that came out, and the state's bytes.
 */
#include "asc_resample.h"
#include "harness.h"

#define MOST 1024u

static asc_resample_t resampler;
static int16_t in[MOST];
static int16_t out[ASC_RESAMPLE_OUTPUTS(MOST)];

/* Arguments: input, output, "blocks" to push whole blocks only, or "chunks". */
int main(int argc, char **argv) {
    uint64_t spent = 0, written = 0;
    size_t chunk = MOST;
    if (argc != 4) {
        return 2;
    }
    const int file = platform_open(argv[1], "rb");
    const int target = platform_open(argv[2], "wb");
    const int fixed = argv[3][0] == 'b';
    asc_resample_init(&resampler);
    for (size_t count; (count = platform_read(file, in, chunk * sizeof *in) / sizeof *in) > 0;) {
        const uint64_t before = platform_instructions();
        const size_t done = asc_resample(&resampler, in, count, out);
        spent += platform_instructions() - before;
        written += done;
        platform_write(target, out, done * sizeof *out);
        chunk = fixed ? MOST : (chunk * 5u + 1u) % MOST + 1u;
    }
    platform_close(target);
    print_number("", (int64_t)spent, "\n");
    print_number("", (int64_t)written, "\n");
    print_number("", (int64_t)(sizeof resampler), "\n");
    return 0;
}
