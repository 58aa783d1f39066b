/* SPDX-License-Identifier: Apache-2.0
 *
 * A double of Zephyr's timing functions. Not Zephyr's header.
 */
#ifndef ZEPHYR_DOUBLE_TIMING_H
#define ZEPHYR_DOUBLE_TIMING_H

#include <stdint.h>

typedef uint64_t timing_t;

void timing_init(void);
void timing_start(void);
timing_t timing_counter_get(void);
uint64_t timing_freq_get(void);

#endif
