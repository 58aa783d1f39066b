/* SPDX-License-Identifier: Apache-2.0 */
#include "serve.h"

#include "asc_protocol.h"
#include "platform.h"

#ifndef ASC_SELFTEST
#define ASC_SELFTEST 0
#endif
#if ASC_SELFTEST
#include "asc_selftest.h"
#endif

static void put(void *context, const uint8_t *data, size_t count) {
    (void)context;
    platform_serial_write(data, count);
}

static uint32_t ticks(void) {
    return (uint32_t)platform_instructions();
}

static asc_protocol_t protocol;

static void push(const asc_sample_t *pcm, size_t count) {
    for (size_t taken = 0; taken < count;) {
        asc_result_t result;
        taken += asc_protocol_push(&protocol, pcm + taken, count - taken);
        if (asc_result(protocol.classifier, &result) == ASC_RESULT_NEW) {
            asc_protocol_report(&protocol, &result);
        }
    }
}

/* Returns whether there were samples. */
static int hear(int microphone, asc_sample_t *pcm) {
    if (microphone < 0 || !asc_protocol_wants_microphone(&protocol)) {
        return 0;
    }
    const size_t count =
        platform_read(microphone, pcm, ASC_FRONTEND_HOP * sizeof pcm[0]) / sizeof pcm[0];
    push(pcm, count);
    return count > 0;
}

/* At an empty line behind a byte: the next may be close, and the microphone makes it wait. */
enum { MOST_LOOKS = 2000 };

void serve(asc_t *classifier, int microphone, asc_sample_t *pcm) {
    static const asc_port_t port = {
        .put = put,
        .ticks = ticks,
        .stack_bytes = platform_stack_bytes,
#if ASC_SELFTEST
        .selftest = asc_selftest,
#endif
    };
    uint8_t data[64];
    uint32_t looks = 0;
    asc_protocol_init(&protocol, classifier, &port);
    for (int count; (count = platform_serial_read(data, sizeof data)) >= 0;) {
        asc_protocol_receive(&protocol, data, (size_t)count);
        if (count > 0) {
            looks = MOST_LOOKS;
        } else if (looks > 0) {
            looks--;
        } else if (!hear(microphone, pcm)) {
            platform_serial_wait();
        }
    }
}
