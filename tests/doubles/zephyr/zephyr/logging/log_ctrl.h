/* SPDX-License-Identifier: Apache-2.0
 *
 * A double of Zephyr's log without a thread of its own, to which printk writes. Not Zephyr's
 * header.
 */
#ifndef ZEPHYR_DOUBLE_LOG_CTRL_H
#define ZEPHYR_DOUBLE_LOG_CTRL_H

#include <stdbool.h>

bool log_process(void);

#define LOG_PROCESS() log_process()

#endif
