/* SPDX-License-Identifier: Apache-2.0
 *
 * A double of Zephyr's output. Not Zephyr's header.
 */
#ifndef ZEPHYR_DOUBLE_PRINTK_H
#define ZEPHYR_DOUBLE_PRINTK_H

__attribute__((format(printf, 1, 2))) void printk(const char *format, ...);

#endif
