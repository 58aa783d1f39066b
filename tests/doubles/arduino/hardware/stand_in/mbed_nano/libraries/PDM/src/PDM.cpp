/* SPDX-License-Identifier: Apache-2.0 */
#include "PDM.h"

#include <string.h>

extern "C" {
#include "platform.h"
}

PDMClass PDM;

static void (*receive)(void);
static int size = 512;
static uint8_t buffer[4096];
static int unread;
static int file = -1;
static bool running;

/* Plays a buffer, or a burst of them. */
static bool play() {
    const int samples = stand_in_burst;
    stand_in_burst = 0;
    for (int left = samples; running && left >= 0; left -= size / 2) {
        unread = static_cast<int>(platform_read(file, buffer, static_cast<size_t>(size)));
        if (unread == 0) {
            return false;
        }
        receive();
        running = unread == 0;
    }
    return running;
}

int PDMClass::begin(int channels, int sampleRate) {
    file = platform_open("microphone.pcm", "rb");
    running = channels == 1 && (sampleRate == 16000 || sampleRate == 41667) && file >= 0;
    stand_in_world = play;
    return running;
}

int PDMClass::available() {
    return unread;
}

int PDMClass::read(void *to, size_t most) {
    const int count = static_cast<int>(most) < unread ? static_cast<int>(most) : unread;
    memcpy(to, buffer, static_cast<size_t>(count));
    unread -= count;
    return count;
}

void PDMClass::onReceive(void (*function)(void)) {
    receive = function;
}

void PDMClass::setBufferSize(int bufferSize) {
    size = bufferSize;
}
