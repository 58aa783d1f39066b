/* SPDX-License-Identifier: Apache-2.0
 *
 * The front end alone on an emulated core: reads samples from a file of the host in chunks of
 * changing size, writes all columns to another, and prints the instructions of the costliest hop
 * and the state's bytes.
 */
#include "asc_frontend.h"
#include "harness.h"

static asc_frontend_t frontend;
static asc_sample_t pcm[ASC_FRONTEND_HOP];
static int8_t features[ASC_FRONTEND_N_MELS * ASC_FRONTEND_CHANNELS];

static size_t next_chunk(size_t chunk, int fixed) {
    return fixed ? ASC_FRONTEND_HOP : (chunk * 5u + 1u) % ASC_FRONTEND_HOP + 1u;
}

/* Arguments: input, output, "hops" to push whole hops and write nothing, or "chunks". */
int main(int argc, char **argv) {
    trap_unaligned();
    uint64_t most = 0;
    if (argc != 4) {
        return 2;
    }
    const int in = platform_open(argv[1], "rb");
    const int out = platform_open(argv[2], "wb");
    const int fixed = argv[3][0] == 'h';
    size_t chunk = next_chunk(1, fixed);
    asc_frontend_init(&frontend);
    for (size_t count; (count = platform_read(in, pcm, chunk * sizeof pcm[0]) / sizeof pcm[0]) > 0;
         chunk = next_chunk(chunk, fixed)) {
        uint32_t columns = 0;
        give_r9();
        const uint64_t before = platform_instructions();
        for (size_t taken = 0; taken < count;) {
            taken += asc_frontend_push(&frontend, pcm + taken, count - taken);
            while (asc_frontend_pop(&frontend, features, ASC_FRONTEND_CHANNELS)) {
                columns++;
                if (!fixed) {
                    platform_write(out, features, sizeof features);
                }
            }
        }
        const uint64_t spent = platform_instructions() - before;
        if (!is_r9_kept()) {
            return 3;
        }
        if (columns == 1 && spent > most) {
            most = spent;
        }
    }
    platform_close(out);
    print_number("", (int64_t)most, "\n");
    print_number("", (int64_t)(sizeof frontend), "\n");
    return 0;
}
