/* SPDX-License-Identifier: Apache-2.0 */
#include "asc_classifier.h"

#include <string.h>

#include "asc_provenance.h"

#define ROW_CODES \
    (ASC_FRONTEND_COLUMNS * ASC_FRONTEND_CHANNELS) /* of a row of the network's input */

/* Without a read of it the linker would leave the record out of the image. */
static void keep_provenance(void) {
    (void)*(const volatile uint8_t *)asc_provenance_data;
}

int asc_init(asc_t *classifier) {
    keep_provenance();
    memset(classifier, 0, sizeof *classifier);
    asc_frontend_init(&classifier->frontend);
    asc_decision_init(&classifier->decision);
    classifier->status = asc_net_init(classifier->arena);
    return classifier->status;
}

#if !ASC_NET_STREAMS
/* The network overwrites its input. */
static void keep_shared_columns(asc_t *classifier) {
#if ASC_SHARED_COLUMNS > 0
    const int8_t *from =
        asc_net_input(classifier->arena) + ROW_CODES - sizeof classifier->shared[0];
    for (uint32_t m = 0; m < ASC_FRONTEND_N_MELS; m++, from += ROW_CODES) {
        memcpy(classifier->shared[m], from, sizeof classifier->shared[m]);
    }
#else
    (void)classifier;
#endif
}
#endif

/* Makes room for the next window's columns, in place of the network's output. */
static void start_window(asc_t *classifier) {
#if defined(ASC_NET_STATE_SIZE) && ASC_DECISION_HOP == ASC_FRONTEND_COLUMNS
    /* The windows follow each other: what the network keeps is of the columns just before. */
    classifier->column = 0;
#else
    asc_begin_window(classifier);
#endif
#if ASC_SHARED_COLUMNS > 0
    int8_t *to = asc_net_input(classifier->arena);
    for (uint32_t m = 0; m < ASC_FRONTEND_N_MELS; m++, to += ROW_CODES) {
        memcpy(to, classifier->shared[m], sizeof classifier->shared[m]);
    }
    classifier->column = ASC_SHARED_COLUMNS;
#elif ASC_DECISION_HOP > ASC_FRONTEND_COLUMNS
    asc_frontend_skip(&classifier->frontend, ASC_DECISION_HOP - ASC_FRONTEND_COLUMNS);
#endif
}

void asc_begin_window(asc_t *classifier) {
    classifier->column = 0;
#if ASC_NET_STREAMS
    asc_net_start(classifier->arena);
#elif defined(ASC_NET_STATE_SIZE)
    asc_net_reset(classifier->arena);
#endif
}

int8_t *asc_column(asc_t *classifier) {
#if ASC_NET_STREAMS
    return asc_net_column(classifier->arena);
#else
    return asc_net_input(classifier->arena) + classifier->column * ASC_FRONTEND_CHANNELS;
#endif
}

int asc_pop_column(asc_t *classifier) {
    return asc_frontend_pop(&classifier->frontend, asc_column(classifier), ASC_COLUMN_STRIDE);
}

int asc_add_column(asc_t *classifier) {
    classifier->column++;
#if ASC_NET_STREAMS
    classifier->status = asc_net_feed(classifier->arena);
#else
    if (classifier->column == ASC_FRONTEND_COLUMNS) {
        keep_shared_columns(classifier);
        classifier->status = asc_net_run(classifier->arena);
    }
#endif
    return classifier->status;
}

int asc_next_column(asc_t *classifier, const asc_sample_t *pcm, size_t count, size_t *taken) {
    if (classifier->status != ASC_NET_OK) {
        *taken = count;
        return 0;
    }
    if (classifier->column == ASC_FRONTEND_COLUMNS) {
        start_window(classifier);
    }
    classifier->ready = 0;
    while (!asc_pop_column(classifier)) {
        if (*taken == count) {
            return 0;
        }
        *taken += asc_frontend_push(&classifier->frontend, pcm + *taken, count - *taken);
    }
    return 1;
}

int asc_decide(asc_t *classifier) {
    if (classifier->status == ASC_NET_OK && classifier->column == ASC_FRONTEND_COLUMNS) {
        asc_decision_add(&classifier->decision, asc_net_output(classifier->arena));
        classifier->windows++;
        classifier->ready = 1;
    }
    return (int)classifier->ready;
}

size_t asc_push(asc_t *classifier, const asc_sample_t *pcm, size_t count) {
    size_t taken = 0;
    while (asc_next_column(classifier, pcm, count, &taken) &&
           asc_add_column(classifier) == ASC_NET_OK && !asc_decide(classifier)) {
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
    const int8_t *scores = asc_net_output(classifier->arena);
    const int8_t *smoothed = asc_decision_smoothed(&classifier->decision, scores);
    result->window = classifier->windows - 1u;
    result->label = classifier->decision.label;
    memcpy(result->scores, scores, sizeof result->scores);
    memcpy(result->smoothed, smoothed, sizeof result->smoothed);
    classifier->ready = 0;
    return ASC_RESULT_NEW;
}
