/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TFLM_DOUBLE_MICRO_INTERPRETER_H
#define TFLM_DOUBLE_MICRO_INTERPRETER_H

#include "asc_net.h"
#include "tensorflow/lite/micro/micro_mutable_op_resolver.h"
#include "tensorflow/lite/schema/schema_generated.h"

namespace tflite {

class MicroInterpreter {
 public:
    template <typename Resolver>
    MicroInterpreter(const Model *, const Resolver &, MicroAllocator *allocator) {
        int8_t *memory = reinterpret_cast<int8_t *>(allocator->memory);
        const TfLiteType type = fault == TYPE ? kTfLiteFloat32 : kTfLiteInt8;
        tensors[0] = {type, {memory}, ASC_NET_INPUT_SIZE};
        tensors[1] = {type, {memory}, ASC_NET_OUTPUT_SIZE + (fault == SIZE ? 1u : 0u)};
    }
    TfLiteStatus AllocateTensors() { return fault == ARENA ? kTfLiteError : kTfLiteOk; }
    size_t inputs_size() const { return fault == INPUTS ? 2 : 1; }
    size_t outputs_size() const { return 1; }
    TfLiteTensor *input(size_t) { return &tensors[0]; }
    TfLiteTensor *output(size_t) { return &tensors[1]; }
    TfLiteStatus Invoke() { return fault == RUN ? kTfLiteError : kTfLiteOk; }

 private:
    TfLiteTensor tensors[2];
};

}  // namespace tflite

#endif
