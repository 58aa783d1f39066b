/* SPDX-License-Identifier: Apache-2.0 */
#include "I2S.h"

#include <string.h>

extern "C" {
#include "platform.h"
}

static const size_t kMostFrames = 512;
static const size_t kUntilLoss = 22050; /* samples */

static void (*receive)(void);
static int16_t samples[kMostFrames];
static uint32_t words[2 * kMostFrames];
static size_t frames, unread; /* of a buffer; bytes that the sketch has not taken */
static size_t played;
static int file = -1;
static bool is_set_up[3], is_full;

static size_t next_samples() {
    size_t bytes = frames * sizeof samples[0];
    if (played > 0) {
        return platform_read(file, reinterpret_cast<uint8_t *>(samples), bytes) / sizeof samples[0];
    }
    samples[0] = 0;
    bytes -= sizeof samples[0];
    const size_t count =
        platform_read(file, reinterpret_cast<uint8_t *>(samples + 1), bytes) / sizeof samples[0];
    samples[1] = static_cast<int16_t>(2 * samples[1]);
    return count + 1;
}

/* Plays a buffer, or a burst of them; with a negative one, samples are lost in the middle. */
static bool play() {
    for (int left = stand_in_burst > 0 ? stand_in_burst : 0; left >= 0;
         left -= static_cast<int>(frames)) {
        size_t count = next_samples();
        if (stand_in_burst < 0 && played >= kUntilLoss) {
            for (; stand_in_burst < 0; stand_in_burst += static_cast<int>(frames)) {
                count = next_samples();
            }
            is_full = true;
        }
        if (count < frames) {
            return false;
        }
        played += count;
        for (size_t i = 0; i < frames; i++) {
            words[2 * i] = static_cast<uint32_t>(samples[i]) << 16 | 0x5a00u;
            words[2 * i + 1] = 0;
        }
        unread = 8 * frames;
        receive();
        if (unread != 0) {
            return false;
        }
    }
    stand_in_burst = stand_in_burst > 0 ? 0 : stand_in_burst;
    return true;
}

I2S::I2S(PinMode direction) {
    (void)direction;
}

bool I2S::setBCLK(unsigned pin) {
    is_set_up[0] = pin == 10;
    return is_set_up[0];
}

bool I2S::setDATA(unsigned pin) {
    is_set_up[1] = pin == 12;
    return is_set_up[1];
}

bool I2S::setBitsPerSample(int bits) {
    is_set_up[2] = bits == 32;
    return is_set_up[2];
}

bool I2S::setBuffers(size_t buffers, size_t count) {
    frames = count / 2;
    return buffers >= 3 && frames <= kMostFrames;
}

bool I2S::begin(long rate) {
    file = platform_open("microphone.pcm", "rb");
    stand_in_world = play;
    return is_set_up[0] && is_set_up[1] && is_set_up[2] && frames > 0 && rate > 0 && file >= 0;
}

void I2S::onReceive(void (*function)(void)) {
    receive = function;
}

int I2S::available() {
    return static_cast<int>(unread);
}

size_t I2S::read(uint8_t *to, size_t size) {
    memcpy(to, reinterpret_cast<uint8_t *>(words) + 8 * frames - unread, size);
    unread -= size;
    return size;
}

bool I2S::getOverflow() {
    const bool was_full = is_full;
    is_full = false;
    return was_full;
}
