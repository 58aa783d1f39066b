/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "Arduino.h"

extern "C" {
#include "emulated.h"
#include "platform.h"
}

SerialPort Serial;
bool (*stand_in_world)();

static int loops_until_open;

/* Between the lines of a sketch that stopped, which ends once a terminal has seen them. */
void delay(unsigned long ms) {
    (void)ms;
    if (loops_until_open-- <= 0) {
        const uint32_t sys_exit_extended = 0x20;
        const uint32_t block[2] = {0x20026 /* application exit */, EXIT_SUCCESS};
        semihosting(sys_exit_extended, block);
    }
}

void SerialPort::begin(unsigned long baud) {
    (void)baud;
}

SerialPort::operator bool() {
    return loops_until_open <= 0;
}

static uint8_t received[256];
static size_t next, end;

int SerialPort::available() {
    static const int file = platform_open("serial.bin", "rb");
    if (next == end && file >= 0) {
        next = 0;
        end = platform_read(file, received, sizeof received);
    }
    return static_cast<int>(end - next);
}

int SerialPort::read() {
    return available() > 0 ? received[next++] : -1;
}

size_t SerialPort::write(const uint8_t *bytes, size_t size) {
    const uint32_t sys_writec = 0x03; /* unlike text, it may be a zero */
    for (size_t i = 0; *this && i < size; i++) {
        semihosting(sys_writec, bytes + i);
    }
    return size;
}

size_t SerialPort::print(const char *text) {
    if (*this) {
        platform_print(text);
    }
    return strlen(text);
}

size_t SerialPort::print(char letter) {
    const char text[2] = {letter, '\0'};
    return print(text);
}

size_t SerialPort::print(int number) {
    char text[16];
    return print(itoa(number, text, 10));
}

size_t SerialPort::print(unsigned long number) {
    char text[16];
    return print(utoa(static_cast<unsigned>(number), text, 10));
}

size_t SerialPort::println() {
    return print("\r\n");
}

size_t SerialPort::println(int number) {
    return print(number) + println();
}

size_t SerialPort::println(unsigned long number) {
    return print(number) + println();
}

int stand_in_burst;

/* Arguments: samples that come in a burst before the sketch's first loop, and loops before a
 * terminal is opened. */
int main(int argc, char **argv) {
    stand_in_burst = argc > 1 ? atoi(argv[1]) : 0;
    loops_until_open = argc > 2 ? atoi(argv[2]) : 0;
    setup();
    while (stand_in_world != NULL && stand_in_world()) {
        loops_until_open--;
        loop();
    }
    return 0;
}
