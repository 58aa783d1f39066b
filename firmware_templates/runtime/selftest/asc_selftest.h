/* SPDX-License-Identifier: Apache-2.0
 *
 * Self-test: a clip of noise, which the test makes itself, goes through front end and network of
 * this build on this chip. Every feature and score must be what the references say, bit for bit.
 *
 *     static asc_t classifier;
 *     if (asc_selftest(&classifier) != ASC_SELFTEST_PASSED) { stop(); }
 *     if (asc_init(&classifier) != ASC_NET_OK) { stop(); }
 */
#ifndef ASC_SELFTEST_H
#define ASC_SELFTEST_H

#include "asc_classifier.h"

#ifdef __cplusplus
extern "C" {
#endif

#define ASC_SELFTEST_PASSED 0
#define ASC_SELFTEST_FAILED_FEATURES 1 /* the front end's; scores were not compared */
#define ASC_SELFTEST_FAILED_SCORES 2   /* the network's, for the right features */

/* Returns one of these, or the network's negative error. Takes as long as a clip's front end and
 * network.
 *
 * classifier: memory that the test uses, which the caller owns; asc_init must be called
 *     afterwards. */
ASC_WARN_UNUSED int asc_selftest(asc_t *classifier);

#ifdef __cplusplus
}
#endif

#endif
