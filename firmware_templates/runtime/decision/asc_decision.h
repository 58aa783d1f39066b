/* SPDX-License-Identifier: Apache-2.0
 *
 * From the scores of windows to the label that is reported, in integers.
 *
 * The scores of the last ASC_DECISION_SMOOTHING windows are averaged. ASC_LABEL_UNKNOWN takes part
 * as a class whose score is always ASC_DECISION_THRESHOLD. Another class than the reported one is
 * reported once it has led by ASC_DECISION_LEAD codes in ASC_DECISION_HOLD windows in a row; the
 * first window has nothing to hold on to.
 */
#ifndef ASC_DECISION_H
#define ASC_DECISION_H

#include <stdint.h>

#include "asc_decision_config.h"
#include "asc_labels.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
    uint32_t label; /* reported */
#if ASC_DECISION_HOLD > 1
    uint32_t candidate; /* leads, but not for long enough yet */
    uint32_t run;       /* windows in a row in which it does */
#endif
#if ASC_DECISION_SMOOTHING > 1
    uint32_t windows; /* that the sums hold */
    uint32_t oldest;  /* place of the oldest one, or the next that is free */
    uint16_t sums[ASC_LABEL_COUNT];
    uint8_t past[ASC_DECISION_SMOOTHING][ASC_LABEL_COUNT]; /* codes + 128 */
    int8_t smoothed[ASC_LABEL_COUNT];
#endif
} asc_decision_t;

/* Prepares decisions; to be called once before the first window.
 *
 * decision: memory for their state, which the caller owns. */
void asc_decision_init(asc_decision_t *decision);

/* Takes the scores of the next window. Returns the label to report: a class, 0 to ASC_LABEL_COUNT
 * - 1, or ASC_LABEL_UNKNOWN.
 *
 * decision: prepared state.
 * scores: ASC_LABEL_COUNT codes of the network's output, which are copied as far as they are
 *     needed. */
uint32_t asc_decision_add(asc_decision_t *decision, const int8_t *scores);

/* Returns ASC_LABEL_COUNT averages over windows, the last one included: in `decision` until its
 * next change, or `scores` themselves where ASC_DECISION_SMOOTHING is 1.
 *
 * decision: state after asc_decision_add.
 * scores: the last window's own scores. */
const int8_t *asc_decision_smoothed(const asc_decision_t *decision, const int8_t *scores);

#ifdef __cplusplus
}
#endif

#endif
