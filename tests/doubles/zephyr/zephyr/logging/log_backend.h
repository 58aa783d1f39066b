/* SPDX-License-Identifier: Apache-2.0
 *
 * A double of what the log writes to; nothing calls it. Not Zephyr's header.
 */
#ifndef ZEPHYR_DOUBLE_LOG_BACKEND_H
#define ZEPHYR_DOUBLE_LOG_BACKEND_H

#include <stdbool.h>

struct log_backend;
union log_msg_generic;

struct log_backend_api {
    void (*process)(const struct log_backend *backend, union log_msg_generic *message);
    void (*panic)(const struct log_backend *backend);
};

struct log_backend {
    const struct log_backend_api *api;
    bool autostart;
};

#define LOG_BACKEND_DEFINE(name, its_api, starts) \
    static const struct log_backend name          \
        __attribute__((unused)) = {.api = &its_api, .autostart = starts}

#endif
