/* SPDX-License-Identifier: Apache-2.0 */
#include "asc_console.h"

#include <stddef.h>

#include "asc_labels.h"
#include "asc_number.h"

#ifndef ASC_SELFTEST
#define ASC_SELFTEST 1
#endif

static uint32_t printed_overruns;
static uint32_t printed_counter;

static void print_number(const asc_console_t *console, int is_negative, uint32_t magnitude) {
    char text[ASC_NUMBER_SIZE];
    console->print(asc_number(text, is_negative, magnitude));
}

static void print_code(const asc_console_t *console, int code) {
    print_number(console, code < 0, code < 0 ? 0u - (uint32_t)code : (uint32_t)code);
}

static void print_line(const asc_console_t *console, const char *name, int code) {
    console->print(name);
    console->print(" ");
    print_code(console, code);
    console->print(console->line_end);
}

static void print_scene(const asc_console_t *console, const asc_result_t *result) {
    console->print("scene ");
    console->print(asc_labels[result->label]);
    for (size_t i = 0; i < ASC_NET_OUTPUT_SIZE; i++) {
        console->print(" ");
        print_code(console, result->smoothed[i]);
    }
    console->print(console->line_end);
}

static void print_losses(const asc_console_t *console) {
    const uint32_t overruns = asc_listen_overruns();
    const uint32_t counter = console->counter == NULL ? 0u : console->counter();
    if (overruns == printed_overruns && counter == printed_counter) {
        return;
    }
    printed_overruns = overruns;
    printed_counter = counter;
    console->print("overruns ");
    print_number(console, 0, overruns);
    if (console->counter != NULL) {
        console->print(" ");
        console->print(console->counter_name);
        console->print(" ");
        print_number(console, 0, counter);
    }
    console->print(console->line_end);
}

int asc_console_start(const asc_console_t *console) {
    const int tested = asc_listen_selftest();
    if (ASC_SELFTEST) {
        print_line(console, "selftest", tested);
    }
    return tested == ASC_SELFTEST_PASSED ? asc_listen_init() : tested;
}

void asc_console_repeat(const asc_console_t *console, int started) {
    if (ASC_SELFTEST) {
        print_line(console, "selftest", started > 0 ? started : ASC_SELFTEST_PASSED);
    }
}

int asc_console_step(const asc_console_t *console) {
    asc_result_t result;
    const int status = asc_listen(&result);
    if (status == ASC_RESULT_NEW) {
        print_scene(console, &result);
    }
    print_losses(console);
    return status;
}

void asc_console_stop(const asc_console_t *console, int status) {
    print_line(console, "stopped", status);
}
