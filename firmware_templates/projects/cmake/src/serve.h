/* SPDX-License-Identifier: Apache-2.0
 *
 * Answers requests of the serial protocol, asc_protocol.h, on the platform's serial line.
 */
#ifndef SERVE_H
#define SERVE_H

#include "asc_classifier.h"

/* The microphone is a file of samples, as platform_open gives it, or a negative number for none.
 * `pcm` has room for ASC_FRONTEND_HOP samples. Returns when the line is closed, which only a line
 * of the host is. */
void serve(asc_t *classifier, int microphone, asc_sample_t *pcm);

#endif
