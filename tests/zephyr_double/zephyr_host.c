/* SPDX-License-Identifier: Apache-2.0
 *
 * What the doubles do on a computer: threads are POSIX threads, the microphone plays the samples
 * of in.pcm, a buffer whenever the application waits for one, and fails at the read that
 * FAILING_READ names. The program ends with the samples.
 */
#include <pthread.h>
#include <semaphore.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <zephyr/audio/dmic.h>
#include <zephyr/sys/printk.h>

const struct device dmic_dev = {"microphone"};

static FILE *samples;
static struct pcm_stream_cfg stream;
static sem_t wanted;
static sem_t given;
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
    samples = fopen("in.pcm", "rb");
    const char *at = getenv("FAILING_READ");
    failing_read = at == NULL ? -1 : atol(at);
    return samples == NULL ? -5 : 0;
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
    sem_wait(&wanted);
    *buffer = slab->memory + slab->block_size * slab->used++;
    *size = slab->block_size;
    if (fread(*buffer, 1, *size, samples) != *size) {
        exit(EXIT_SUCCESS);
    }
    return 0;
}

void k_mem_slab_free(struct k_mem_slab *slab, void *block) {
    (void)block;
    slab->used--;
}

void k_sem_give(struct k_sem *sem) {
    (void)sem;
    sem_post(&given);
}

int k_sem_take(struct k_sem *sem, k_timeout_t timeout) {
    (void)sem, (void)timeout;
    sem_post(&wanted);
    return sem_wait(&given);
}

static void *run(void *nothing) {
    (void)nothing;
    thread_entry(NULL, NULL, NULL);
    return NULL;
}

k_tid_t k_thread_create(struct k_thread *thread, k_thread_stack_t *stack, size_t stack_size,
                        k_thread_entry_t entry, void *first, void *second, void *third,
                        int priority, uint32_t options, k_timeout_t delay) {
    static pthread_t id;
    (void)stack, (void)stack_size, (void)first, (void)second, (void)third, (void)options;
    (void)delay;
    if (priority >= CONFIG_MAIN_THREAD_PRIORITY) {
        printk("the reader must come before the application\n");
        exit(EXIT_FAILURE);
    }
    sem_init(&wanted, 0, 0);
    sem_init(&given, 0, 0);
    thread_entry = entry;
    thread->started = pthread_create(&id, NULL, run, NULL) == 0;
    return thread;
}
