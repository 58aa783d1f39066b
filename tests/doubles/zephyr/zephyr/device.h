/* SPDX-License-Identifier: Apache-2.0
 *
 * A double of Zephyr's device model: two devices, the microphone and the console. Not Zephyr's
 * header.
 */
#ifndef ZEPHYR_DOUBLE_DEVICE_H
#define ZEPHYR_DOUBLE_DEVICE_H

#include <stdbool.h>

struct device {
    const char *name;
};

#define DT_NODELABEL(label) label
#define DT_CHOSEN(name) name
#define DEVICE_DT_GET(node) (&node)

extern const struct device dmic_dev;
extern const struct device zephyr_console;

bool device_is_ready(const struct device *device);

#endif
