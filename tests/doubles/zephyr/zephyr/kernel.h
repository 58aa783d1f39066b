/* SPDX-License-Identifier: Apache-2.0
 *
 * A double of Zephyr's kernel interface, as far as the generated application uses it: enough to
 * compile against, and with zephyr_host.c to run on a computer. Not Zephyr's header.
 */
#ifndef ZEPHYR_DOUBLE_KERNEL_H
#define ZEPHYR_DOUBLE_KERNEL_H

#include <stddef.h>
#include <stdint.h>

#define CONFIG_LOG 1
#define CONFIG_MAIN_THREAD_PRIORITY 0
#define ARG_UNUSED(name) ((void)(name))

typedef struct {
    int64_t ticks;
} k_timeout_t;

#define K_FOREVER ((k_timeout_t){-1})
#define K_NO_WAIT ((k_timeout_t){0})
#define K_MSEC(milliseconds) ((k_timeout_t){milliseconds})

void k_str_out(char *text, size_t size);
int32_t k_msleep(int32_t milliseconds);
uint32_t k_cycle_get_32(void);
unsigned int sys_clock_hw_cycles_per_sec(void);

struct k_sem {
    unsigned count;
    unsigned limit;
};

#define K_SEM_DEFINE(name, initial, most) struct k_sem name = {initial, most}

int k_sem_take(struct k_sem *sem, k_timeout_t timeout);
void k_sem_give(struct k_sem *sem);

struct k_mem_slab {
    char *memory;
    size_t block_size;
    uint32_t blocks;
    uint32_t used;
};

#define K_MEM_SLAB_DEFINE_STATIC(name, size, count, align)                       \
    static char name##_memory[(size) * (count)] __attribute__((aligned(align))); \
    static struct k_mem_slab name = {name##_memory, size, count, 0}

void k_mem_slab_free(struct k_mem_slab *slab, void *block);

struct k_thread {
    int started;
};

typedef struct {
    char data[8];
} k_thread_stack_t;

typedef void (*k_thread_entry_t)(void *first, void *second, void *third);
typedef struct k_thread *k_tid_t;

#define K_THREAD_STACK_DEFINE(name, size) k_thread_stack_t name[(size) / 8]
#define K_THREAD_STACK_SIZEOF(name) sizeof(name)

k_tid_t k_thread_create(struct k_thread *thread, k_thread_stack_t *stack, size_t stack_size,
                        k_thread_entry_t entry, void *first, void *second, void *third,
                        int priority, uint32_t options, k_timeout_t delay);

#endif
