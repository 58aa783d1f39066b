/* SPDX-License-Identifier: Apache-2.0
 *
 * What the example uses of Arduino's interface, on an emulated core: the serial port is the
 * emulator's console, where serial.bin is what the host sends, and drops what is written until a
 * terminal opens it; a sketch ends with the file that its microphone plays.
 */
#ifndef ARDUINO_H
#define ARDUINO_H

#include <stddef.h>
#include <stdint.h>

extern "C" {
void delay(unsigned long ms);
}

void setup();
void loop();

class SerialPort {
  public:
    void begin(unsigned long baud);
    operator bool();
    int available();
    int read();
    size_t write(const uint8_t *bytes, size_t size);
    size_t print(const char *text);
    size_t print(char letter);
    size_t print(int number);
    size_t print(unsigned long number);
    size_t println();
    size_t println(int number);
    size_t println(unsigned long number);
};

extern SerialPort Serial;

/* The stand-in's own: one pass of the world around the sketch; false at its end. */
extern bool (*stand_in_world)();
extern int stand_in_burst;

#endif
