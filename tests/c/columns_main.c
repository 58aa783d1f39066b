/* SPDX-License-Identifier: Apache-2.0
 *
 * Feeds two clips at a time, column by column in turns, each to an arena of its own, and again in
 * the same arenas for the next two. Mistakes between must change nothing. Standard input has the
 * columns of one clip after the other, standard output gets their scores.
 */
#include <stdio.h>
#include <string.h>

#include "asc_net.h"

enum { CLIPS = 2, FAILED = 1 };

ASC_NET_ALIGNED static int8_t arenas[CLIPS][(ASC_NET_ARENA_SIZE + 15) / 16 * 16];
static int8_t features[CLIPS][ASC_NET_INPUT_WIDTH][ASC_NET_COLUMN_SIZE];

static int are_mistakes_told(int8_t *arena) {
    return asc_net_init(NULL) == ASC_NET_ERROR_NULL && asc_net_feed(NULL) == ASC_NET_ERROR_NULL &&
           asc_net_init(arena + 1) == ASC_NET_ERROR_ALIGNMENT &&
           asc_net_feed(arena + 1) == ASC_NET_ERROR_ALIGNMENT &&
           asc_net_infer(arena, NULL, arena) == ASC_NET_ERROR_NULL &&
           asc_net_infer(arena, arena, NULL) == ASC_NET_ERROR_NULL;
}

static int feed_all(void) {
    for (uint32_t column = 0; column < ASC_NET_INPUT_WIDTH; column++) {
        for (uint32_t clip = 0; clip < CLIPS; clip++) {
            memcpy(asc_net_column(arenas[clip]), features[clip][column], ASC_NET_COLUMN_SIZE);
            if (asc_net_feed(arenas[clip]) != ASC_NET_OK || !are_mistakes_told(arenas[clip])) {
                return FAILED;
            }
        }
    }
    return 0;
}

int main(void) {
    for (uint32_t clip = 0; clip < CLIPS; clip++) {
        memset(arenas[clip], 0x5A, sizeof arenas[clip]);
        if (asc_net_init(arenas[clip]) != ASC_NET_OK) {
            return FAILED;
        }
    }
    while (fread(features, sizeof features, 1, stdin) == 1) {
        if (feed_all() != 0) {
            return FAILED;
        }
        for (uint32_t clip = 0; clip < CLIPS; clip++) {
            if (asc_net_feed(arenas[clip]) != ASC_NET_ERROR_COLUMN) {
                return FAILED;
            }
            fwrite(asc_net_output(arenas[clip]), 1, ASC_NET_OUTPUT_SIZE, stdout);
            asc_net_start(arenas[clip]);
        }
    }
    return 0;
}
