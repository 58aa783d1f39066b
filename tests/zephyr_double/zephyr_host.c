/* SPDX-License-Identifier: Apache-2.0
 *
 * What the doubles do on a computer: the microphone plays in.pcm, and stops by itself at the read
 * that FAILING_READ names.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <zephyr/audio/dmic.h>
#include <zephyr/sys/printk.h>

#include "played.h"

const struct device dmic_dev = {"microphone"};

static struct pcm_stream_cfg stream;
static k_thread_entry_t thread_entry;
static int is_running;
static long failing_read = -1;

void printk(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    vprintf(format, arguments);
    va_end(arguments);
    fflush(stdout);
}

bool device_is_ready(const struct device *device) {
    return device == &dmic_dev;
}

int dmic_configure(const struct device *device, struct dmic_cfg *config) {
    (void)device;
    if (config->channel.req_num_streams != 1 || config->channel.req_num_chan != 1 ||
        config->streams[0].pcm_width != 16 ||
        config->streams[0].block_size != config->streams[0].mem_slab->block_size) {
        return -22;
    }
    stream = config->streams[0];
    printk("microphone %u Hz, clock %u to %u\n", (unsigned)stream.pcm_rate,
           (unsigned)config->io.min_pdm_clk_freq, (unsigned)config->io.max_pdm_clk_freq);
    const char *at = getenv("FAILING_READ");
    failing_read = at == NULL ? -1 : atol(at);
    return played_open();
}

int dmic_trigger(const struct device *device, enum dmic_trigger command) {
    (void)device;
    is_running = command == DMIC_TRIGGER_START;
    return 0;
}

int dmic_read(const struct device *device, uint8_t number, void **buffer, size_t *size,
              int32_t timeout) {
    static long reads;
    struct k_mem_slab *slab = stream.mem_slab;
    (void)device, (void)number, (void)timeout;
    if (reads++ == failing_read) {
        is_running = 0;
    }
    if (!is_running || slab->used == slab->blocks) {
        return -11;
    }
    *buffer = slab->memory + slab->block_size * slab->used++;
    *size = slab->block_size;
    played_read(*buffer, *size / sizeof(int16_t));
    return 0;
}

void k_mem_slab_free(struct k_mem_slab *slab, void *block) {
    (void)block;
    slab->used--;
}

void k_sem_give(struct k_sem *sem) {
    (void)sem;
    played_give();
}

int k_sem_take(struct k_sem *sem, k_timeout_t timeout) {
    (void)sem, (void)timeout;
    played_wait();
    return 0;
}

static void run(void) {
    thread_entry(NULL, NULL, NULL);
}

k_tid_t k_thread_create(struct k_thread *thread, k_thread_stack_t *stack, size_t stack_size,
                        k_thread_entry_t entry, void *first, void *second, void *third,
                        int priority, uint32_t options, k_timeout_t delay) {
    (void)stack, (void)stack_size, (void)first, (void)second, (void)third, (void)options;
    (void)delay;
    if (priority >= CONFIG_MAIN_THREAD_PRIORITY) {
        printk("the reader must come before the application\n");
        exit(EXIT_FAILURE);
    }
    thread_entry = entry;
    played_start(run);
    thread->started = 1;
    return thread;
}
