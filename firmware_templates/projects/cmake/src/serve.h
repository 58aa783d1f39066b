/* SPDX-License-Identifier: Apache-2.0
 *
 * Answers requests of the serial protocol, asc_protocol.h, on the platform's serial line.
 */
#ifndef SERVE_H
#define SERVE_H

#include "asc_classifier.h"

/* Returns when the line is closed, which only a line of the host is. */
void serve(asc_t *classifier);

#endif
