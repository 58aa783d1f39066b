/* SPDX-License-Identifier: Apache-2.0
 *
 * Has a bit-exact twin in asc-tiny's Python model.
 */
#include "asc_decision.h"

#include <string.h>

#define NO_LABEL UINT32_MAX

void asc_decision_init(asc_decision_t *decision) {
    memset(decision, 0, sizeof *decision);
    decision->label = NO_LABEL;
#if ASC_DECISION_HOLD > 1
    decision->candidate = NO_LABEL;
#endif
}

#if ASC_DECISION_SMOOTHING > 1

/* Averages the last windows, halves rounded up; at the start those that there are. */
static void smooth(asc_decision_t *decision, const int8_t *scores) {
    uint8_t *past = decision->past[decision->oldest];
    decision->oldest = (decision->oldest + 1u) % ASC_DECISION_SMOOTHING;
    if (decision->windows < ASC_DECISION_SMOOTHING) {
        decision->windows++;
    }
    for (uint32_t i = 0; i < ASC_LABEL_COUNT; i++) {
        const uint32_t score = (uint32_t)(scores[i] + 128);
        const uint32_t sum = decision->sums[i] + score - past[i];
        const uint32_t mean = (2u * sum + decision->windows) / (2u * decision->windows);
        past[i] = (uint8_t)score;
        decision->sums[i] = (uint16_t)sum;
        decision->smoothed[i] = (int8_t)((int32_t)mean - 128);
    }
}

#endif

const int8_t *asc_decision_smoothed(const asc_decision_t *decision, const int8_t *scores) {
#if ASC_DECISION_SMOOTHING > 1
    (void)scores;
    return decision->smoothed;
#else
    (void)decision;
    return scores;
#endif
}

static int32_t score_of(uint32_t label, const int8_t *scores) {
    return label == ASC_LABEL_UNKNOWN ? ASC_DECISION_THRESHOLD : scores[label];
}

/* The first of equal ones; a class at the threshold is known. */
static uint32_t best_label(const int8_t *scores) {
    uint32_t best = 0;
    for (uint32_t i = 1; i < ASC_LABEL_COUNT; i++) {
        if (scores[i] > scores[best]) {
            best = i;
        }
    }
    return scores[best] < score_of(ASC_LABEL_UNKNOWN, scores) ? ASC_LABEL_UNKNOWN : best;
}

/* Whether a label has led for long enough to be reported. */
static int has_led(asc_decision_t *decision, uint32_t label, const int8_t *scores) {
    const uint32_t reported = decision->label;
    if (reported == NO_LABEL) {
        return 1;
    }
    const int leads = label != reported &&
                      score_of(label, scores) - score_of(reported, scores) >= ASC_DECISION_LEAD;
#if ASC_DECISION_HOLD > 1
    decision->run = leads && label == decision->candidate ? decision->run + 1u : 1u;
    decision->candidate = leads ? label : NO_LABEL;
    return leads && decision->run >= ASC_DECISION_HOLD;
#else
    return leads;
#endif
}

uint32_t asc_decision_add(asc_decision_t *decision, const int8_t *scores) {
#if ASC_DECISION_SMOOTHING > 1
    smooth(decision, scores);
#endif
    const int8_t *smoothed = asc_decision_smoothed(decision, scores);
    const uint32_t best = best_label(smoothed);
    if (has_led(decision, best, smoothed)) {
        decision->label = best;
    }
    return decision->label;
}
