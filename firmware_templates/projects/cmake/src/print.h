/* SPDX-License-Identifier: Apache-2.0
 *
 * What applications print: numbers, figures with their names, errors of the network; and, if built
 * with ASC_NET_PROFILE, the instructions of each stage.
 */
#ifndef PRINT_H
#define PRINT_H

#include <stdint.h>

#include "asc_net.h"
#include "platform.h"

enum { EXIT_OK = 0, EXIT_FAILED = 1, EXIT_USAGE = 2 };

static void print_number(int64_t value) {
    char digits[24];
    char *text = digits + sizeof digits;
    uint64_t rest = value < 0 ? (uint64_t)-value : (uint64_t)value;
    *--text = '\0';
    do {
        *--text = (char)('0' + rest % 10u);
        rest /= 10u;
    } while (rest != 0);
    if (value < 0) {
        *--text = '-';
    }
    platform_print(text);
}

static void print_figure(const char *name, uint64_t value) {
    platform_print(name);
    platform_print(" ");
    print_number((int64_t)value);
    platform_print("\n");
}

/* Returns the exit code for an error of the network, told in words if it is one. */
static int exit_code(int error) {
    if (error == ASC_NET_OK) {
        return EXIT_OK;
    }
    platform_print("network error ");
    print_number(error);
    platform_print("\n");
    return EXIT_FAILED;
}

#ifdef ASC_NET_PROFILE
static uint64_t stage_instructions[4095];
static uint64_t last_step;

void asc_net_profile(uint32_t stage);

void asc_net_profile(uint32_t stage) {
    const uint64_t now = platform_instructions();
    stage_instructions[stage] += now - last_step;
    last_step = now;
}

static void print_stages(void) {
    for (uint32_t i = 0; i < sizeof stage_instructions / sizeof stage_instructions[0]; i++) {
        if (stage_instructions[i] > 0) {
            print_number(i);
            print_figure("", stage_instructions[i]);
        }
    }
}
#endif

#endif
