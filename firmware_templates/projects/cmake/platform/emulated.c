/* SPDX-License-Identifier: Apache-2.0
 *
 * What all cores under an emulator or debugger with semihosting share: memory at the start, files
 * and text of the host (Arm's semihosting specification, which RISC-V adopts), stack counter.
 */
#include "emulated.h"

#include <string.h>

#include "platform.h"

/* From the linker script. */
extern uint32_t link_data_load[], link_data_start[], link_data_end[];
extern uint32_t link_bss_start[], link_bss_end[];
extern uint32_t link_stack_limit[], link_stack_top[];

int main(int argc, char **argv);

/* Semihosting operations */
enum {
    SYS_OPEN = 0x01,
    SYS_CLOSE = 0x02,
    SYS_WRITE0 = 0x04,
    SYS_WRITE = 0x05,
    SYS_READ = 0x06,
    SYS_GET_CMDLINE = 0x15,
    SYS_EXIT_EXTENDED = 0x20
};

static void leave(uint32_t code) {
    const uint32_t application_exit = 0x20026;
    const uint32_t block[2] = {application_exit, code};
    for (;;) {
        semihosting(SYS_EXIT_EXTENDED, block);
    }
}

int platform_open(const char *path, const char *mode) {
    const uint32_t binary = 1;
    const uint32_t write = 4;
    const uint32_t flags = mode[0] == 'w' ? write | binary : binary;
    const uint32_t block[3] = {(uint32_t)path, flags, (uint32_t)strlen(path)};
    return semihosting(SYS_OPEN, block);
}

void platform_close(int file) {
    const uint32_t block[1] = {(uint32_t)file};
    semihosting(SYS_CLOSE, block);
}

/* A pipe gives what is there, a file all that is asked for; at the end both give nothing. */
size_t platform_read(int file, void *data, size_t size) {
    size_t left = size;
    for (size_t before = 0; left > 0 && left != before;) {
        const uint32_t block[3] = {(uint32_t)file, (uint32_t)data + (uint32_t)(size - left), left};
        before = left;
        left = (size_t)semihosting(SYS_READ, block);
    }
    return size - left;
}

void platform_write(int file, const void *data, size_t size) {
    const uint32_t block[3] = {(uint32_t)file, (uint32_t)data, size};
    if (semihosting(SYS_WRITE, block) != 0) {
        platform_print("cannot write\n");
        leave(1);
    }
}

void platform_print(const char *text) {
    semihosting(SYS_WRITE0, text);
}

static const uint32_t paint = 0xA5A5A5A5;

uint32_t platform_stack_bytes(void) {
    const uint32_t *lowest = link_stack_limit;
    while (lowest < link_stack_top && *lowest == paint) {
        lowest++;
    }
    return (uint32_t)((uintptr_t)link_stack_top - (uintptr_t)lowest);
}

static void paint_stack(void) {
    uint32_t *const here = __builtin_frame_address(0);
    /* Leaves room for this function's own registers. */
    for (volatile uint32_t *word = link_stack_limit; word < here - 32; word++) {
        *word = paint;
    }
}

void prepare_memory(void) {
    paint_stack();
    memcpy(link_data_start, link_data_load,
           (size_t)((char *)link_data_end - (char *)link_data_start));
    memset(link_bss_start, 0, (size_t)((char *)link_bss_end - (char *)link_bss_start));
}

static int split(char *line, char **argv, int most) {
    int argc = 0;
    while (argc < most) {
        line += strspn(line, " ");
        if (*line == '\0') {
            break;
        }
        argv[argc++] = line;
        line += strcspn(line, " ");
        if (*line != '\0') {
            *line++ = '\0';
        }
    }
    return argc;
}

void run_main(void) {
    static char line[256];
    static char *argv[8];
    uint32_t block[2] = {(uint32_t)line, sizeof line};
    if (semihosting(SYS_GET_CMDLINE, block) != 0) {
        line[0] = '\0';
    }
    leave((uint32_t)main(split(line, argv, 8), argv));
}

void fault_handler(void) {
    const uint32_t fault = 70;
    platform_print("fault\n");
    leave(fault);
}
