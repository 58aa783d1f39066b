/* SPDX-License-Identifier: Apache-2.0
 *
 * A microphone behind Zephyr's DMIC interface. A thread above the application's takes the driver's
 * buffers at once: the network may run for as long as the application's own buffer lasts.
 */
#include <errno.h>
#include <zephyr/audio/dmic.h>
#include <zephyr/device.h>
#include <zephyr/kernel.h>

#include "asc_listen.h"
#include "microphone.h"

#define CHUNK 256u /* samples */
#define CHUNK_BYTES (CHUNK * sizeof(int16_t))
#define CHUNKS 4
#define TIMEOUT_MS (100u + 1000u * CHUNKS * CHUNK / MICROPHONE_RATE)
#define RETRY_MS 10
#define WAIT_MS 100 /* so that the log tells why no samples come */
#define STACK_BYTES 1024
#define PRIORITY (CONFIG_MAIN_THREAD_PRIORITY - 1)

K_MEM_SLAB_DEFINE_STATIC(chunks, CHUNK_BYTES, CHUNKS, 4);
static K_SEM_DEFINE(more, 0, 1);
static K_THREAD_STACK_DEFINE(stack, STACK_BYTES);
static struct k_thread reader;

static const struct device *const dmic = DEVICE_DT_GET(DT_NODELABEL(dmic_dev));
static volatile uint32_t restarts;

static int configure(void) {
    struct pcm_stream_cfg stream = {
        .pcm_rate = MICROPHONE_RATE,
        .pcm_width = 16,
        .block_size = CHUNK_BYTES,
        .mem_slab = &chunks,
    };
    struct dmic_cfg config = {
        .io =
            {
                .min_pdm_clk_freq = MICROPHONE_LOWEST_CLOCK,
                .max_pdm_clk_freq = MICROPHONE_HIGHEST_CLOCK,
                .min_pdm_clk_dc = 40,
                .max_pdm_clk_dc = 60,
            },
        .streams = &stream,
        .channel =
            {
                .req_num_streams = 1,
                .req_num_chan = 1,
                .req_chan_map_lo = dmic_build_channel_map(0, 0, PDM_CHAN_LEFT),
            },
    };
    return dmic_configure(dmic, &config);
}

static int start(void) {
    const int status = configure();
    return status == 0 ? dmic_trigger(dmic, DMIC_TRIGGER_START) : status;
}

/* Drivers stop when they find no free buffer. Some forget their configuration then, some take time
 * to stop and say -EBUSY until they have. */
static void restart(void) {
    restarts = restarts + 1u;
    asc_listen_gap();
    k_sem_give(&more); /* the application looks before new samples come */
    (void)dmic_trigger(dmic, DMIC_TRIGGER_STOP);
    while (start() != 0) {
        k_msleep(RETRY_MS);
    }
}

static void read_samples(void *first, void *second, void *third) {
    ARG_UNUSED(first);
    ARG_UNUSED(second);
    ARG_UNUSED(third);
    for (;;) {
        void *chunk;
        size_t size;
        if (dmic_read(dmic, 0, &chunk, &size, TIMEOUT_MS) == 0) {
            asc_listen_samples(chunk, size / sizeof(int16_t));
            k_mem_slab_free(&chunks, chunk);
            k_sem_give(&more);
        } else {
            restart();
        }
    }
}

int microphone_start(void) {
    const int status = device_is_ready(dmic) ? start() : -ENODEV;
    if (status == 0) {
        k_thread_create(&reader, stack, K_THREAD_STACK_SIZEOF(stack), read_samples, NULL, NULL,
                        NULL, PRIORITY, 0, K_NO_WAIT);
    }
    return status;
}

void microphone_wait(void) {
    (void)k_sem_take(&more, K_MSEC(WAIT_MS));
}

uint32_t microphone_restarts(void) {
    return restarts;
}
