/* SPDX-License-Identifier: Apache-2.0 */
#include "serve.h"

#include "asc_protocol.h"
#include "platform.h"

static void put(void *context, const uint8_t *data, size_t count) {
    (void)context;
    platform_serial_write(data, count);
}

static uint32_t ticks(void) {
    return (uint32_t)platform_instructions();
}

void serve(asc_t *classifier) {
    static asc_protocol_t protocol;
    static const asc_port_t port = {
        .put = put, .ticks = ticks, .stack_bytes = platform_stack_bytes};
    uint8_t data[64];
    asc_protocol_init(&protocol, classifier, &port);
    for (int count; (count = platform_serial_read(data, sizeof data)) >= 0;) {
        asc_protocol_receive(&protocol, data, (size_t)count);
    }
}
