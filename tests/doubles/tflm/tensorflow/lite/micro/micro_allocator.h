/* SPDX-License-Identifier: Apache-2.0
 *
 * A stand-in for TensorFlow Lite Micro with the few names that emitted code uses, to make it fail in
 * every way: the variable `fault` says where.
 */
#ifndef TFLM_DOUBLE_MICRO_ALLOCATOR_H
#define TFLM_DOUBLE_MICRO_ALLOCATOR_H

#include <cstddef>
#include <cstdint>
#include <new>

#define TFLITE_SCHEMA_VERSION (3)

enum TfLiteStatus { kTfLiteOk, kTfLiteError };
enum TfLiteType { kTfLiteInt8, kTfLiteFloat32 };

struct TfLiteTensor {
    TfLiteType type;
    union {
        void *data;
        int8_t *int8;
    } data;
    size_t bytes;
};

enum Fault { NONE, VERSION, OPERATOR, ARENA, TYPE, SIZE, INPUTS, RUN };
extern "C" {
extern int fault;
}

namespace tflite {

struct MicroAllocator {
    static MicroAllocator *Create(uint8_t *memory, size_t size) {
        return new (memory) MicroAllocator{memory + 64, size};
    }
    size_t used_bytes() const { return size - 16; }
    uint8_t *memory;
    size_t size;
};

}  // namespace tflite

#endif
