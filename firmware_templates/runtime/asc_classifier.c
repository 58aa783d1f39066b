/* SPDX-License-Identifier: Apache-2.0 */
#include "asc_classifier.h"

#include <string.h>

void asc_init(asc_t *classifier) {
    memset(classifier, 0, sizeof *classifier);
    asc_frontend_init(&classifier->frontend);
}

static void decide(asc_t *classifier) {
    asc_result_t *result = &classifier->result;
    asc_net_run(classifier->arena);
    memcpy(result->scores, classifier->arena + ASC_NET_OUTPUT_OFFSET, ASC_NET_OUTPUT_SIZE);
    result->label = 0;
    for (uint32_t i = 1; i < ASC_NET_OUTPUT_SIZE; i++) {
        if (result->scores[i] > result->scores[result->label]) {
            result->label = i;
        }
    }
    result->clip = classifier->clip++;
    classifier->ready = 1;
    classifier->column = 0;
}

/* Columns go straight to their place in the network's input, (mel band, column, channel). */
static int8_t *next_column(asc_t *classifier) {
    return classifier->arena + ASC_NET_INPUT_OFFSET + classifier->column * ASC_FRONTEND_CHANNELS;
}

size_t asc_push(asc_t *classifier, const int16_t *pcm, size_t count) {
    const size_t stride = ASC_FRONTEND_COLUMNS * ASC_FRONTEND_CHANNELS;
    size_t taken = 0;
    classifier->ready = 0;
    while (taken < count && !classifier->ready) {
        taken += asc_frontend_push(&classifier->frontend, pcm + taken, count - taken);
        while (asc_frontend_pop(&classifier->frontend, next_column(classifier), stride)) {
            if (++classifier->column == ASC_FRONTEND_COLUMNS) {
                decide(classifier);
            }
        }
    }
    return taken;
}

int asc_result(asc_t *classifier, asc_result_t *result) {
    if (!classifier->ready) {
        return 0;
    }
    *result = classifier->result;
    classifier->ready = 0;
    return 1;
}
