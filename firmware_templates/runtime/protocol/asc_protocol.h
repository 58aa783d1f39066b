/* SPDX-License-Identifier: Apache-2.0
 *
 * Serial protocol of a classifier: says what the firmware is made from, takes samples instead of
 * the microphone's, gives results, features, scores and timing. docs/reference/protocol.md of
 * asc-tiny tells the messages.
 *
 *     asc_protocol_init(&protocol, &classifier, &port);
 *     for (;;) {
 *         asc_protocol_receive(&protocol, bytes, serial_read(bytes, sizeof bytes));
 *         if (asc_protocol_wants_microphone(&protocol)) {
 *             taken += asc_protocol_push(&protocol, pcm + taken, count - taken);
 *             if (asc_result(&classifier, &result) == ASC_RESULT_NEW) {
 *                 asc_protocol_report(&protocol, &result);
 *             }
 *         }
 *     }
 *
 * The application calls all functions from one place, not from interrupts. Whatever arrives, at
 * most ASC_FRAME_MAX bytes of it are held, and what is not an intact request is dropped. With
 * ASC_PROTOCOL defined as 0 for the whole build nothing of it is left.
 */
#ifndef ASC_PROTOCOL_H
#define ASC_PROTOCOL_H

#include <stddef.h>
#include <stdint.h>

#include "asc_classifier.h"
#include "asc_frame.h"

#ifndef ASC_PROTOCOL
#define ASC_PROTOCOL 1
#endif

#define ASC_PROTOCOL_VERSION 2

/* Mel bands that COLUMN tells: all, or as many evenly spaced ones as fit into a frame, at most 128
 */
#define ASC_PROTOCOL_MOST_BANDS (ASC_FRAME_MAX < 142 ? ASC_FRAME_MAX - 14 : 128)
#define ASC_PROTOCOL_BANDS \
    (ASC_FRONTEND_N_MELS < ASC_PROTOCOL_MOST_BANDS ? ASC_FRONTEND_N_MELS : ASC_PROTOCOL_MOST_BANDS)

#if ASC_FRAME_MAX < 64 || ASC_FRAME_MAX < 24 + 2 * ASC_NET_OUTPUT_SIZE
#error "define a larger ASC_FRAME_MAX: the scores of this model do not fit"
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* What the application provides. Functions may be NULL but for `put`. */
typedef struct {
    void *context;       /* of `put` */
    asc_frame_put_t put; /* sends bytes, waits until they are taken */
    uint32_t (*ticks)(void);
    uint32_t tick_rate;            /* per second; 0 if ticks are instructions */
    uint32_t (*stack_bytes)(void); /* the most stack used so far */
    uint32_t (*overruns)(void);    /* blocks of the microphone that were lost */
    int (*selftest)(asc_t *);      /* asc_selftest, if it is to be part of the image */
} asc_port_t;

#if ASC_PROTOCOL

typedef struct {
    uint32_t since_column; /* of the front end */
    uint32_t hop;          /* the most that the front end took from a column to the next */
    uint32_t since_window; /* of the network */
    uint32_t network;      /* of the network on the latest window */
    uint32_t network_hop;  /* the most that it took with one column */
    uint32_t network_last; /* what it took with the latest window's last */
} asc_ticks_t;

typedef struct {
    asc_frame_reader_t reader;
    const asc_port_t *port;
    asc_t *classifier;
    /* The latest reply, to be sent again if its request is: the reply may have been lost. */
    uint8_t reply[ASC_FRAME_MAX + ASC_FRAME_CRC_SIZE];
    uint32_t reply_size;
    uint32_t request_crc; /* of the request that was replied to */
    uint32_t damaged;     /* frames dropped */
    asc_ticks_t ticks;
    uint8_t latest[ASC_PROTOCOL_BANDS]; /* log-mel codes of the latest column */
    uint8_t column_waits;               /* to be read, before the network gets it */
    uint8_t host_is_source;
} asc_protocol_t;

/* Prepares the protocol; to be called once before any other of these functions.
 *
 * protocol: memory for the state, which the caller owns.
 * classifier: the classifier that requests are about, prepared or not; it must outlive the
 *     protocol.
 * port: what the application provides; it must outlive the protocol. */
void asc_protocol_init(asc_protocol_t *protocol, asc_t *classifier, const asc_port_t *port);

/* Takes bytes of the line and replies to the requests in them.
 *
 * protocol: prepared state.
 * data: bytes, read during the call only.
 * count: number of bytes, 0 or more. */
void asc_protocol_receive(asc_protocol_t *protocol, const uint8_t *data, size_t count);

/* Returns 1 if samples are to come from the microphone: until the host sends some, and again after
 * it resets the classifier for it. Else returns 0.
 *
 * protocol: prepared state. */
int asc_protocol_wants_microphone(const asc_protocol_t *protocol);

/* Takes samples as asc_push does, which it measures. Returns the number of samples taken.
 *
 * protocol: prepared state.
 * pcm: samples, read during the call only.
 * count: number of samples, 0 or more. */
ASC_WARN_UNUSED size_t asc_protocol_push(asc_protocol_t *protocol, const asc_sample_t *pcm,
                                         size_t count);

/* Sends a decision to the host, from its first request on: until then whoever reads the line
 * without the protocol sees no frames between his text.
 *
 * protocol: prepared state.
 * result: the decision, read during the call only. */
void asc_protocol_report(const asc_protocol_t *protocol, const asc_result_t *result);

#else

typedef struct {
    asc_t *classifier;
} asc_protocol_t;

static inline void asc_protocol_init(asc_protocol_t *protocol, asc_t *classifier,
                                     const asc_port_t *port) {
    (void)port;
    protocol->classifier = classifier;
}

static inline void asc_protocol_receive(asc_protocol_t *protocol, const uint8_t *data,
                                        size_t count) {
    (void)protocol;
    (void)data;
    (void)count;
}

static inline int asc_protocol_wants_microphone(const asc_protocol_t *protocol) {
    (void)protocol;
    return 1;
}

static inline size_t asc_protocol_push(asc_protocol_t *protocol, const asc_sample_t *pcm,
                                       size_t count) {
    return asc_push(protocol->classifier, pcm, count);
}

static inline void asc_protocol_report(const asc_protocol_t *protocol, const asc_result_t *result) {
    (void)protocol;
    (void)result;
}

#endif

#ifdef __cplusplus
}
#endif

#endif
