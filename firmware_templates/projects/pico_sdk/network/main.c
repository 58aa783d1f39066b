/* SPDX-License-Identifier: Apache-2.0
 *
 * Runs the golden inputs of the network, and prints whether the outputs are the expected ones and
 * the time that each inference took: cycles on an RP2350, microseconds on an RP2040. It does so
 * again and again, for who opens the port late.
 */
#include <string.h>

#include "asc_check.h"
#include "asc_cycles.h"
#include "pico/stdio/driver.h"
#include "pico/stdio_usb.h"
#include "pico/stdlib.h"

static void print(const char *text) {
    stdio_usb.out_chars(text, (int)strlen(text));
}

static uint32_t ticks(void) {
#ifdef __ARM_ARCH_8M_MAIN__
    return asc_cycles();
#else
    return time_us_32();
#endif
}

static const asc_check_t check = {.print = print, .line_end = "\r\n", .ticks = ticks};

int main(void) {
    (void)stdio_usb_init();
    asc_cycles_start();
    for (;;) {
        (void)asc_check(&check);
        sleep_ms(2000);
    }
}
