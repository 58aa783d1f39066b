/* SPDX-License-Identifier: Apache-2.0
 *
 * Arduino's PDM microphone as its nRF52840 driver behaves: it calls back for every buffer, and
 * stops if the one before has not been read.
 */
#ifndef PDM_H
#define PDM_H

#include <Arduino.h>

class PDMClass {
  public:
    int begin(int channels, int sampleRate);
    int available();
    int read(void *buffer, size_t size);
    void onReceive(void (*function)(void));
    void setBufferSize(int bufferSize);
};

extern PDMClass PDM;

#endif
