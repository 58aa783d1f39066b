/* SPDX-License-Identifier: Apache-2.0
 *
 * The decimator of PDM microphones alone on an emulated core: reads bits from a file of the host in
 * chunks of changing size, writes samples to another, and prints the instructions spent on all of
 * it, the samples that came out, and the state's bytes.
 */
#include "asc_pdm.h"
#include "harness.h"

#define MOST 1024u

static asc_pdm_t pdm;
static uint8_t in[MOST];
static int16_t out[ASC_PDM_OUTPUTS(MOST)];

/* Arguments: input, output. */
int main(int argc, char **argv) {
    uint64_t spent = 0, written = 0;
    size_t chunk = MOST;
    if (argc != 3) {
        return 2;
    }
    const int file = platform_open(argv[1], "rb");
    const int target = platform_open(argv[2], "wb");
    asc_pdm_init(&pdm);
    for (size_t count; (count = platform_read(file, in, chunk)) > 0;) {
        const uint64_t before = platform_instructions();
        const size_t done = asc_pdm(&pdm, in, count, out);
        spent += platform_instructions() - before;
        written += done;
        platform_write(target, out, done * sizeof *out);
        chunk = (chunk * 5u + 1u) % MOST + 1u;
    }
    platform_close(target);
    print_number("", (int64_t)spent, "\n");
    print_number("", (int64_t)written, "\n");
    print_number("", (int64_t)(sizeof pdm), "\n");
    return 0;
}
