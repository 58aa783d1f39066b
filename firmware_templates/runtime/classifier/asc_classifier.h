/* SPDX-License-Identifier: Apache-2.0
 *
 * Acoustic scene classifier: samples in, one decision per window out. Windows are clips, or slide
 * over the stream by ASC_DECISION_HOP columns.
 *
 *     #include <stdio.h>
 *     #include "asc_classifier.h"
 *     static asc_t classifier; // all memory that is used, stack apart: asc_init(&classifier) once
 *     int classify(const asc_sample_t *pcm, size_t count) { // chunks of any size
 *         int status = ASC_RESULT_NONE;
 *         while (count > 0 && status >= 0) {
 *             asc_result_t result;
 *             const size_t taken = asc_push(&classifier, pcm, count);
 *             pcm += taken;
 *             count -= taken;
 *             status = asc_result(&classifier, &result);
 *             if (status == ASC_RESULT_NEW) { puts(asc_labels[result.label]); }
 *         }
 *         return status; // negative: the error that stopped the classifier
 *     }
 */
#ifndef ASC_CLASSIFIER_H
#define ASC_CLASSIFIER_H

#include <stddef.h>
#include <stdint.h>

#include "asc_decision.h"
#include "asc_frontend.h"
#include "asc_labels.h"
#include "asc_net.h"

#if ASC_NET_VERSION != 2
#error "asc_net.h is of another version than this file: generate both anew"
#endif
#if ASC_FRONTEND_HASH != ASC_NET_FRONTEND_HASH
#error "asc_net.h needs another front end than asc_frontend_tables.h: generate both anew"
#endif
#if ASC_LABELS_HASH != ASC_NET_LABELS_HASH
#error "asc_net.h needs other labels than asc_labels.h: generate both anew"
#endif
#if ASC_FRONTEND_N_MELS * ASC_FRONTEND_COLUMNS * ASC_FRONTEND_CHANNELS != ASC_NET_INPUT_SIZE
#error "the front end's features do not fill the network's input"
#endif
#if ASC_LABEL_COUNT != ASC_NET_OUTPUT_SIZE
#error "the network's outputs are not those of the labels"
#endif
#if (ASC_DECISION_HOP > 0) != ASC_FRONTEND_CONTINUOUS
#error "the front end knows clips, the decisions sliding windows, or the other way round"
#endif

/* Columns of a window that the next one begins with */
#if ASC_DECISION_HOP > 0 && ASC_DECISION_HOP < ASC_FRONTEND_COLUMNS
#define ASC_SHARED_COLUMNS (ASC_FRONTEND_COLUMNS - ASC_DECISION_HOP)
#else
#define ASC_SHARED_COLUMNS 0
#endif

#if ASC_NET_STREAMS && ASC_SHARED_COLUMNS > 0
#error "the network computes column by column: its windows cannot share columns"
#endif

/* Bytes from a mel band to the next in a column of the network's input */
#if ASC_NET_STREAMS
#define ASC_COLUMN_STRIDE ASC_FRONTEND_CHANNELS
#else
#define ASC_COLUMN_STRIDE (ASC_FRONTEND_COLUMNS * ASC_FRONTEND_CHANNELS)
#endif

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define ASC_WARN_UNUSED __attribute__((warn_unused_result))
#else
#define ASC_WARN_UNUSED
#endif

typedef struct {
    uint32_t window; /* number of the window since asc_init, from 0 */
    uint32_t label;  /* reported: index into asc_labels, may be ASC_LABEL_UNKNOWN */
    int8_t scores[ASC_NET_OUTPUT_SIZE];   /* quantised as ASC_NET_OUTPUT_SCALE says */
    int8_t smoothed[ASC_NET_OUTPUT_SIZE]; /* averages, which the label follows */
} asc_result_t;

typedef struct {
    ASC_NET_ALIGNED int8_t arena[ASC_NET_ARENA_SIZE];
    asc_frontend_t frontend;
    asc_decision_t decision;
#if ASC_SHARED_COLUMNS > 0
    int8_t shared[ASC_FRONTEND_N_MELS][ASC_SHARED_COLUMNS * ASC_FRONTEND_CHANNELS];
#endif
    uint32_t column;  /* to be computed next */
    uint32_t windows; /* decided */
    uint32_t ready;
    int status; /* ASC_NET_OK, or the error that stopped the classifier */
} asc_t;

/* What asc_result returns if the network did not fail */
#define ASC_RESULT_NONE 0
#define ASC_RESULT_NEW 1

/* Prepares a classifier; to be called once before the first push. Returns ASC_NET_OK, or one of
 * the network's negative errors, after which samples are taken and ignored.
 *
 * classifier: memory for it, which the caller owns, keeps and does not move; whatever it holds
 *     before. */
ASC_WARN_UNUSED int asc_init(asc_t *classifier);

/* Takes samples until a decision is ready. Returns the number of samples taken, at most `count`. A
 * decision must be fetched before the next push.
 *
 * classifier: a prepared classifier.
 * pcm: samples at ASC_FRONTEND_SAMPLE_RATE, full scale in the full range of their type; they are
 *     read during the call only.
 * count: number of samples, 0 or more. */
ASC_WARN_UNUSED size_t asc_push(asc_t *classifier, const asc_sample_t *pcm, size_t count);

/* Copies a decision that has not been fetched yet. Returns ASC_RESULT_NEW; ASC_RESULT_NONE if
 * there is none; or the negative error that stopped the classifier.
 *
 * classifier: a prepared classifier.
 * result: where the caller wants the decision; it is written with ASC_RESULT_NEW only. */
ASC_WARN_UNUSED int asc_result(asc_t *classifier, asc_result_t *result);

/* What asc_push does, in parts, for who looks in between: asc_next_column, asc_add_column and
 * asc_decide in turn; or, with a front end that is fed apart, asc_begin_window, then asc_pop_column
 * and asc_add_column for each column. */

/* Takes samples until a column is computed and returns 1; or takes all that are left and returns
 * 0.
 *
 * classifier: a prepared classifier.
 * pcm: all samples, as for asc_push.
 * count: number of all samples.
 * taken: number of samples that were taken before, 0 to `count`; those that are taken now are
 *     added. */
ASC_WARN_UNUSED int asc_next_column(asc_t *classifier, const asc_sample_t *pcm, size_t count,
                                    size_t *taken);

/* Begins a window that shares no column with the one before, and has nothing to do with it: a
 * network that keeps values between inferences forgets them.
 *
 * classifier: a prepared classifier. */
void asc_begin_window(asc_t *classifier);

/* Returns where the window's next column goes, inside the classifier: channel c of mel band m to
 * place m * ASC_COLUMN_STRIDE + c.
 *
 * classifier: a prepared classifier, whose window is not whole. */
int8_t *asc_column(asc_t *classifier);

/* Computes the next column from the samples of the front end. Returns 1, or 0 if samples are
 * missing.
 *
 * classifier: a prepared classifier, whose window is not whole. */
int asc_pop_column(asc_t *classifier);

/* Adds that column to the window and runs the network as far as it goes: on the column, or on the
 * whole window with its last one. Returns ASC_NET_OK or the negative error that stopped the
 * classifier.
 *
 * classifier: a classifier with a column that was computed and not added. */
ASC_WARN_UNUSED int asc_add_column(asc_t *classifier);

/* Returns 1 if the window is whole, after which a decision is ready, else 0.
 *
 * classifier: a prepared classifier. */
ASC_WARN_UNUSED int asc_decide(asc_t *classifier);

#ifdef __cplusplus
}
#endif

#endif
