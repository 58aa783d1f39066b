/* SPDX-License-Identifier: Apache-2.0
 *
 * A plugin of QEMU that adds up the cycles of what an emulated core executes.
 *
 * Arguments, in any order:
 *
 *     costs=FILE     lines "address sequential jumped taken": cycles of the instruction at an
 *                    address if the one before it in memory has run just before it, cycles if
 *                    another has, and cycles that a jump from it takes besides
 *     out=FILE       gets a line "instructions cycles stalls" for every segment of the run
 *     border=N       address of the function whose every call begins a segment; what has no line in
 *                    the costs, such as that function itself, is not counted
 *     flash=N        first address of the flash
 *     flash_bytes=N  bytes of the flash
 *     wait=N         wait states of the flash
 *
 * Model of the flash: lines of 16 bytes; the last 64 lines that were fetched from and the last 8
 * that were read from cost nothing. Another costs the wait states. The next line in order is
 * fetched while the core executes the one before.
 *
 * Source of the interface: QEMU, docs/devel/tcg-plugins.rst, version 1. It is declared here since
 * packages of QEMU do not bring its header.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EXPORTED __attribute__((visibility("default")))

typedef struct qemu_plugin_tb block_t;
typedef struct qemu_plugin_insn instruction_t;

/* Reads alone cannot be asked for: QEMU 7.2 gives writes in their place. */
enum { FLAGS_NO_REGISTERS = 0, READS_AND_WRITES = 3 };

void qemu_plugin_register_vcpu_tb_trans_cb(uint64_t id, void (*call)(uint64_t, block_t *));
size_t qemu_plugin_tb_n_insns(const block_t *block);
instruction_t *qemu_plugin_tb_get_insn(const block_t *block, size_t index);
size_t qemu_plugin_insn_size(const instruction_t *instruction);
uint64_t qemu_plugin_insn_vaddr(const instruction_t *instruction);
void qemu_plugin_register_vcpu_insn_exec_cb(instruction_t *instruction,
                                            void (*call)(unsigned, void *), int flags, void *data);
void qemu_plugin_register_vcpu_mem_cb(instruction_t *instruction,
                                      void (*call)(unsigned, uint32_t, uint64_t, void *), int flags,
                                      int access, void *data);
bool qemu_plugin_mem_is_store(uint32_t info);
void qemu_plugin_register_atexit_cb(uint64_t id, void (*call)(uint64_t, void *), void *data);
EXPORTED int qemu_plugin_install(uint64_t id, const void *info, int count, char **arguments);
EXPORTED extern int qemu_plugin_version;

int qemu_plugin_version = 1;

enum { LINE_BYTES = 16, FETCHED_LINES = 64, READ_LINES = 8, MOST_CODE = 1 << 24 };

/* Costs in cycles of the instruction at an address. */
typedef struct {
    uint32_t address, next;
    uint8_t sequential, jumped, taken;
    bool is_counted;
} cost_t;

/* Lines of the flash that are held, and when each was last used. */
typedef struct {
    uint32_t line[FETCHED_LINES];
    uint64_t used[FETCHED_LINES];
    uint64_t now;
} cache_t;

typedef struct {
    uint64_t instructions, cycles, stalls;
} segment_t;

static cost_t *costs[MOST_CODE / 2]; /* by half the address */
static cache_t fetched, read;
static segment_t *segments;
static size_t segment_count, segment_room;
static const cost_t *last;
static uint32_t last_line;
static uint64_t line_entered; /* cycles and stalls when the last line was entered */
static uint64_t clock;
static uint64_t border, flash, flash_bytes, wait_states;
static char out_name[4096];

static void fail(const char *what, const char *name) {
    fprintf(stderr, "trace plugin: %s %s\n", what, name);
    exit(1);
}

static void begin_segment(void) {
    if (segment_count == segment_room) {
        segment_room = 2 * segment_room + 1024;
        segments = realloc(segments, segment_room * sizeof *segments);
        if (segments == NULL) {
            fail("no memory for segments of", out_name);
        }
    }
    memset(&segments[segment_count++], 0, sizeof *segments);
}

/* Whether a line is held; it is from now on, in place of the one that has not been used longest. */
static bool holds(cache_t *cache, int lines, uint32_t line) {
    int oldest = 0;
    cache->now++;
    for (int i = 0; i < lines; i++) {
        if (cache->line[i] == line) {
            cache->used[i] = cache->now;
            return true;
        }
        oldest = cache->used[i] < cache->used[oldest] ? i : oldest;
    }
    cache->line[oldest] = line;
    cache->used[oldest] = cache->now;
    return false;
}

static bool is_flash(uint64_t address) {
    return address - flash < flash_bytes;
}

static void spend(segment_t *segment, uint64_t cycles) {
    segment->cycles += cycles;
    clock += cycles;
}

static void stall(segment_t *segment, uint64_t cycles) {
    segment->stalls += cycles;
    clock += cycles;
}

static void fetch(segment_t *segment, uint32_t address) {
    const uint32_t line = address / LINE_BYTES;
    if (line == last_line) {
        return;
    }
    if (is_flash(address) && !holds(&fetched, FETCHED_LINES, line)) {
        const uint64_t gone = line == last_line + 1 ? clock - line_entered : 0;
        stall(segment, gone < wait_states ? wait_states - gone : 0);
    }
    last_line = line;
    line_entered = clock;
}

static void executed(unsigned core, void *data) {
    const cost_t *cost = data;
    (void)core;
    if (cost->address == border) {
        begin_segment();
    }
    if (!cost->is_counted) {
        last = NULL;
        return;
    }
    segment_t *segment = &segments[segment_count - 1];
    const bool is_next = last != NULL && last->next == cost->address;
    if (last != NULL && !is_next) {
        spend(segment, last->taken);
    }
    fetch(segment, cost->address);
    spend(segment, is_next ? cost->sequential : cost->jumped);
    segment->instructions++;
    last = cost;
}

static void accessed(unsigned core, uint32_t info, uint64_t address, void *data) {
    (void)core;
    (void)data;
    if (last != NULL && !qemu_plugin_mem_is_store(info) && is_flash(address) &&
        !holds(&read, READ_LINES, (uint32_t)(address / LINE_BYTES))) {
        stall(&segments[segment_count - 1], wait_states);
    }
}

static cost_t *cost_at(uint64_t address) {
    if (address >= MOST_CODE) {
        return NULL;
    }
    cost_t **cost = &costs[address / 2];
    if (*cost == NULL) {
        *cost = calloc(1, sizeof **cost);
        if (*cost == NULL) {
            fail("no memory for costs of", out_name);
        }
        (*cost)->address = (uint32_t)address;
    }
    return *cost;
}

static void translated(uint64_t id, block_t *block) {
    const size_t count = qemu_plugin_tb_n_insns(block);
    (void)id;
    for (size_t i = 0; i < count; i++) {
        instruction_t *instruction = qemu_plugin_tb_get_insn(block, i);
        const uint64_t address = qemu_plugin_insn_vaddr(instruction);
        cost_t *cost = cost_at(address);
        if (cost != NULL) {
            cost->next = (uint32_t)(address + qemu_plugin_insn_size(instruction));
            qemu_plugin_register_vcpu_insn_exec_cb(instruction, executed, FLAGS_NO_REGISTERS, cost);
            qemu_plugin_register_vcpu_mem_cb(instruction, accessed, FLAGS_NO_REGISTERS,
                                             READS_AND_WRITES, NULL);
        }
    }
}

static void write_segments(uint64_t id, void *data) {
    FILE *file = fopen(out_name, "w");
    (void)id;
    (void)data;
    if (file == NULL) {
        fail("cannot write", out_name);
    }
    for (size_t i = 0; i < segment_count; i++) {
        const segment_t *each = &segments[i];
        fprintf(file, "%llu %llu %llu\n", (unsigned long long)each->instructions,
                (unsigned long long)each->cycles, (unsigned long long)each->stalls);
    }
    fclose(file);
}

static void read_costs(const char *name) {
    FILE *file = fopen(name, "r");
    unsigned address, sequential, jumped, taken;
    if (file == NULL) {
        fail("cannot read", name);
    }
    while (fscanf(file, "%x %u %u %u", &address, &sequential, &jumped, &taken) == 4) {
        cost_t *cost = cost_at(address);
        if (cost == NULL) {
            fail("an address is too high in", name);
        }
        cost->sequential = (uint8_t)sequential;
        cost->jumped = (uint8_t)jumped;
        cost->taken = (uint8_t)taken;
        cost->is_counted = true;
    }
    fclose(file);
}

/* The text behind `name=` if an argument begins so. */
static const char *value_of(const char *argument, const char *name) {
    const size_t length = strlen(name);
    const bool fits = strncmp(argument, name, length) == 0 && argument[length] == '=';
    return fits ? argument + length + 1 : NULL;
}

static void read_number(const char *argument, const char *name, uint64_t *number) {
    const char *value = value_of(argument, name);
    if (value != NULL) {
        *number = strtoull(value, NULL, 0);
    }
}

EXPORTED int qemu_plugin_install(uint64_t id, const void *info, int count, char **arguments) {
    (void)info;
    for (int i = 0; i < count; i++) {
        const char *name = value_of(arguments[i], "costs");
        if (name != NULL) {
            read_costs(name);
        }
        name = value_of(arguments[i], "out");
        if (name != NULL && strlen(name) < sizeof out_name) {
            memcpy(out_name, name, strlen(name) + 1);
        }
        read_number(arguments[i], "border", &border);
        read_number(arguments[i], "flash", &flash);
        read_number(arguments[i], "flash_bytes", &flash_bytes);
        read_number(arguments[i], "wait", &wait_states);
    }
    memset(&fetched.line, 0xFF, sizeof fetched.line);
    memset(&read.line, 0xFF, sizeof read.line);
    begin_segment();
    qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
    qemu_plugin_register_atexit_cb(id, write_segments, NULL);
    return out_name[0] == '\0';
}
