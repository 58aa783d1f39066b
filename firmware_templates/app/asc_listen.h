/* SPDX-License-Identifier: Apache-2.0
 *
 * A microphone's samples in, decisions out: classifier and audio buffer in one, once per image.
 *
 *     void dma_complete(void) {                       // the interrupt
 *         asc_listen_samples(dma_buffer, DMA_SAMPLES);
 *     }
 *     int main(void) {
 *         if (asc_listen_selftest() != ASC_SELFTEST_PASSED) { stop(); }
 *         int status = asc_listen_init();             // then start the microphone
 *         while (status >= 0) {
 *             asc_result_t result;
 *             status = asc_listen(&result);
 *             if (status == ASC_RESULT_NEW) { use(asc_labels[result.label]); }
 *         }
 *     }
 *
 * With a serial port it answers the requests of asc_protocol.h as well:
 *
 *     void serial_received(uint8_t byte) {            // the interrupt
 *         asc_listen_receive(&byte, 1);
 *     }
 *     static const asc_port_t port = {.put = serial_send};
 *     asc_listen_serial(&port);                       // before the self-test
 */
#ifndef ASC_LISTEN_H
#define ASC_LISTEN_H

#include <stddef.h>
#include <stdint.h>

#include "asc_audio.h"
#include "asc_classifier.h"
#include "asc_protocol.h"
#include "asc_selftest.h"

#ifdef __cplusplus
extern "C" {
#endif

/* To be called before asc_listen_init, if at all: returns ASC_SELFTEST_PASSED, or what
 * asc_selftest.h says. Compiled with -DASC_SELFTEST=0 it tests nothing and passes. */
int asc_listen_selftest(void);

#if ASC_PROTOCOL
/* To be called before asc_listen_init, if at all. asc_listen then answers the host's requests
 * through the port, sends it each decision from its first request on, and leaves the microphone's
 * samples out while the host sends its own. Of the port, `overruns` and `selftest` are set here.
 * Without a call the linker leaves the protocol out.
 *
 * port: what the application provides; it is copied. */
void asc_listen_serial(const asc_port_t *port);

/* Interrupt or application: takes bytes that have arrived, for the next asc_listen.
 *
 * bytes: bytes, read during the call only.
 * count: number of bytes, 0 or more. */
void asc_listen_receive(const uint8_t *bytes, size_t count);
#else
static inline void asc_listen_serial(const asc_port_t *port) {
    (void)port;
}

static inline void asc_listen_receive(const uint8_t *bytes, size_t count) {
    (void)bytes;
    (void)count;
}
#endif

/* To be called once before the first sample. Returns ASC_NET_OK or one of the network's errors. */
int asc_listen_init(void);

/* Interrupt: takes samples at the microphone's rate.
 *
 * pcm: samples, full scale in int16, read during the call only.
 * count: number of samples, 0 or more. */
void asc_listen_samples(const int16_t *pcm, size_t count);

/* Interrupt, from where asc_listen_samples is called: samples were lost before those that come
 * next, as when a driver was started again. What has come so far is dropped. */
void asc_listen_gap(void);

/* Application: works on the samples that have come until a decision is ready. Returns
 * ASC_RESULT_NEW; ASC_RESULT_NONE once it has to wait for samples; or the negative error that
 * stopped the classifier. After an overrun or asc_listen_gap it starts a new clip behind the gap.
 *
 * result: where the caller wants the decision; it is written with ASC_RESULT_NEW only. */
int asc_listen(asc_result_t *result);

/* Returns the number of blocks of ASC_AUDIO_BLOCK samples lost so far, because asc_listen was busy
 * for too long. */
uint32_t asc_listen_overruns(void);

#ifdef __cplusplus
}
#endif

#endif
