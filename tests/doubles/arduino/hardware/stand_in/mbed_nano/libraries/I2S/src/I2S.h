/* SPDX-License-Identifier: Apache-2.0
 *
 * What the example uses of Arduino-Pico's I2S library. As with the real one, frames come in two
 * words of 32 bits, left and right; before the first sample there is a frame of nothing, and the
 * first sample is twice what it should be.
 */
#ifndef I2S_H
#define I2S_H

#include <Arduino.h>

enum PinMode { INPUT };

class I2S {
  public:
    explicit I2S(PinMode direction);
    bool setBCLK(unsigned pin);
    bool setDATA(unsigned pin);
    bool setBitsPerSample(int bits);
    bool setBuffers(size_t buffers, size_t words);
    bool begin(long rate);
    void onReceive(void (*function)(void));
    int available();
    size_t read(uint8_t *to, size_t size);
    bool getOverflow();
};

#endif
