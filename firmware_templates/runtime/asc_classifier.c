/* SPDX-License-Identifier: Apache-2.0 */
#include "asc_classifier.h"

#include <string.h>

#include "asc_provenance.h"

/* Without a read of it the linker would leave the record out of the image. */
static void keep_provenance(void) {
    (void)*(const volatile uint8_t *)asc_provenance_data;
}

int asc_init(asc_t *classifier) {
    keep_provenance();
    memset(classifier, 0, sizeof *classifier);
    asc_frontend_init(&classifier->frontend);
    classifier->status = asc_net_init(classifier->arena);
    return classifier->status;
}

static void decide(asc_t *classifier) {
    asc_result_t *result = &classifier->result;
    classifier->column = 0;
    classifier->status = asc_net_run(classifier->arena);
    classifier->ready = 1;
    if (classifier->status != ASC_NET_OK) {
        return;
    }
    memcpy(result->scores, asc_net_output(classifier->arena), ASC_NET_OUTPUT_SIZE);
    result->label = 0;
    for (uint32_t i = 1; i < ASC_NET_OUTPUT_SIZE; i++) {
        if (result->scores[i] > result->scores[result->label]) {
            result->label = i;
        }
    }
    result->clip = classifier->clip++;
}

/* Columns go straight to their place in the network's input, (mel band, column, channel). */
static int8_t *next_column(asc_t *classifier) {
    return asc_net_input(classifier->arena) + classifier->column * ASC_FRONTEND_CHANNELS;
}

size_t asc_push(asc_t *classifier, const asc_sample_t *pcm, size_t count) {
    const size_t stride = ASC_FRONTEND_COLUMNS * ASC_FRONTEND_CHANNELS;
    size_t taken = 0;
    if (classifier->status != ASC_NET_OK) {
        return count;
    }
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
    if (classifier->status != ASC_NET_OK) {
        return classifier->status;
    }
    if (!classifier->ready) {
        return ASC_RESULT_NONE;
    }
    *result = classifier->result;
    classifier->ready = 0;
    return ASC_RESULT_NEW;
}
