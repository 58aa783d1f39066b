/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TFLM_DOUBLE_MICRO_MUTABLE_OP_RESOLVER_H
#define TFLM_DOUBLE_MICRO_MUTABLE_OP_RESOLVER_H

#include "tensorflow/lite/micro/micro_allocator.h"

namespace tflite {

template <unsigned count>
class MicroMutableOpResolver {
 public:
    TfLiteStatus AddConcatenation() { return add(); }
    TfLiteStatus AddConv2D() { return add(); }
    TfLiteStatus AddDepthwiseConv2D() { return add(); }
    TfLiteStatus AddMaxPool2D() { return add(); }
    TfLiteStatus AddMean() { return add(); }
    TfLiteStatus AddReshape() { return add(); }
    TfLiteStatus AddSoftmax() { return add(); }
    TfLiteStatus AddStridedSlice() { return add(); }

 private:
    TfLiteStatus add() {
        return ++added > count || fault == OPERATOR ? kTfLiteError : kTfLiteOk;
    }
    unsigned added = 0;
};

}  // namespace tflite

#endif
