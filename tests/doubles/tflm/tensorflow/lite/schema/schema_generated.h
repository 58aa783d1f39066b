/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TFLM_DOUBLE_SCHEMA_GENERATED_H
#define TFLM_DOUBLE_SCHEMA_GENERATED_H

#include "tensorflow/lite/micro/micro_allocator.h"

namespace tflite {

struct Model {
    int version() const { return fault == VERSION ? 4 : TFLITE_SCHEMA_VERSION; }
};

inline const Model *GetModel(const void *data) {
    return static_cast<const Model *>(data);
}

}  // namespace tflite

#endif
