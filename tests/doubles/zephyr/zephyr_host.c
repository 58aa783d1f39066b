/* SPDX-License-Identifier: Apache-2.0
 *
 * What the doubles do on a computer: the microphone plays in.pcm, and stops by itself at the read
 * that FAILING_READ names. As the driver of the DFSDM it forgets its configuration when it is
 * stopped, and as that of Nordic's PDM it is busy for a while then. What is given to printk waits
 * in the log, unless CONFIG_LOG_PRINTK is off. A program that waits for nothing but the log has
 * ended.
 */
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <zephyr/audio/dmic.h>
#include <zephyr/drivers/uart.h>
#include <zephyr/logging/log_ctrl.h>
#include <zephyr/sys/printk.h>

#include "console.h"
#include "played.h"

const struct device dmic_dev = {"microphone"};
const struct device zephyr_console = {"console"};

static struct pcm_stream_cfg stream;
static k_thread_entry_t thread_entry;
static int is_running;
static int is_configured;
static int busy;
static long failing_read = -2; /* not known yet */

static pthread_mutex_t log_lock = PTHREAD_MUTEX_INITIALIZER;
static char log_messages[16][100];
static size_t logged;
static size_t processed;

void printk(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
#ifdef PRINTK_AT_ONCE
    vprintf(format, arguments);
    fflush(stdout);
#else
    pthread_mutex_lock(&log_lock);
    vsnprintf(log_messages[logged++ % 16], sizeof log_messages[0], format, arguments);
    pthread_mutex_unlock(&log_lock);
#endif
    va_end(arguments);
}

bool log_process(void) {
    pthread_mutex_lock(&log_lock);
    if (processed < logged) {
        fputs(log_messages[processed++ % 16], stdout);
        fflush(stdout);
    }
    const bool has_more = processed < logged;
    pthread_mutex_unlock(&log_lock);
    return has_more;
}

void k_str_out(char *text, size_t size) {
    fwrite(text, 1, size, stdout);
    fflush(stdout);
}

bool device_is_ready(const struct device *device) {
    return device == &dmic_dev || device == &zephyr_console;
}

int dmic_configure(const struct device *device, struct dmic_cfg *config) {
    (void)device;
    if (busy > 0) {
        busy--;
        return -16;
    }
    if (config->channel.req_num_streams != 1 || config->channel.req_num_chan != 1 ||
        config->streams[0].pcm_width != 16 ||
        config->streams[0].block_size != config->streams[0].mem_slab->block_size) {
        return -22;
    }
    stream = config->streams[0];
    is_configured = 1;
    if (failing_read >= -1) {
        return 0;
    }
    printk("microphone %u Hz, clock %u to %u\n", (unsigned)stream.pcm_rate,
           (unsigned)config->io.min_pdm_clk_freq, (unsigned)config->io.max_pdm_clk_freq);
    const char *at = getenv("FAILING_READ");
    failing_read = at == NULL ? -1 : atol(at);
    return played_open();
}

int dmic_trigger(const struct device *device, enum dmic_trigger command) {
    (void)device;
    if (command == DMIC_TRIGGER_STOP) {
        is_running = 0;
        is_configured = 0;
        busy = 2;
        return 0;
    }
    is_running = is_configured;
    return is_running ? 0 : -5;
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

int32_t k_msleep(int32_t milliseconds) {
    if (milliseconds >= 100) {
        exit(EXIT_SUCCESS);
    }
    const struct timespec time = {.tv_nsec = milliseconds * 1000000L};
    nanosleep(&time, NULL);
    return 0;
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
        fputs("the reader must come before the application\n", stderr);
        exit(EXIT_FAILURE);
    }
    thread_entry = entry;
    played_start(run);
    thread->started = 1;
    return thread;
}

uint32_t k_cycle_get_32(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint32_t)now.tv_sec * 1000000u + (uint32_t)(now.tv_nsec / 1000);
}

unsigned int sys_clock_hw_cycles_per_sec(void) {
    return 1000000u;
}

static uart_irq_callback_user_data_t irq;
static void *irq_context;
static const uint8_t *fifo;
static size_t in_fifo;

int uart_irq_callback_user_data_set(const struct device *device,
                                    uart_irq_callback_user_data_t callback, void *context) {
    (void)device;
    irq = callback;
    irq_context = context;
    return 0;
}

static void interrupt(const uint8_t *bytes, size_t count) {
    fifo = bytes;
    in_fifo = count;
    while (in_fifo > 0) {
        irq(&zephyr_console, irq_context);
    }
}

void uart_irq_rx_enable(const struct device *device) {
    (void)device;
    console_start(interrupt);
}

int uart_irq_update(const struct device *device) {
    (void)device;
    return 1;
}

int uart_irq_rx_ready(const struct device *device) {
    (void)device;
    return in_fifo > 0;
}

int uart_fifo_read(const struct device *device, uint8_t *bytes, const int size) {
    int count = 0;
    (void)device;
    for (; count < size && in_fifo > 0; count++, in_fifo--) {
        bytes[count] = *fifo++;
    }
    return count;
}

void uart_poll_out(const struct device *device, unsigned char byte) {
    (void)device;
    console_send(&byte, 1);
}
