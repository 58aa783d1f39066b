/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "Arduino.h"

extern "C" {
#include "platform.h"
}

SerialPort Serial;
bool (*stand_in_world)();

static const char *typed;

void delay(unsigned long ms) {
    (void)ms;
}

void SerialPort::begin(unsigned long baud) {
    (void)baud;
}

int SerialPort::available() {
    return typed != NULL && *typed != '\0';
}

int SerialPort::read() {
    return available() ? *typed++ : -1;
}

size_t SerialPort::print(const char *text) {
    platform_print(text);
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

/* Arguments: what a user types; samples that come in a burst before the sketch's first loop. */
int main(int argc, char **argv) {
    typed = argc > 1 ? argv[1] : NULL;
    stand_in_burst = argc > 2 ? atoi(argv[2]) : 0;
    setup();
    while (stand_in_world != NULL && stand_in_world()) {
        loop();
    }
    return 0;
}
