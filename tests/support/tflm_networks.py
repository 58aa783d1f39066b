"""Networks of many types, with variables and with a custom operator, for TensorFlow Lite Micro."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from tflite_micro.tensorflow.lite.micro.python import schema_py_generated as schema

from asc_tiny.model.model_file import ModelFile
from asc_tiny.tflite.reader import parse_graph
from asc_tiny.tflm.options import CustomOperator, TflmOptions
from asc_tiny.util.files import sha256
from support.graph_batch import model_file
from support.tflite_builder import Builder

WHIRL = TflmOptions(5000, (CustomOperator("Whirl", "whirl.h", "my::Register_WHIRL"),))
"""The kernel of ``custom``, and an arena that is enough."""

WHIRL_SOURCES = {
    "whirl.h": """#include "tensorflow/lite/micro/micro_common.h"
namespace my {
TFLMRegistration *Register_WHIRL();
}
""",
    "whirl.cc": """#include "whirl.h"
#include "tensorflow/lite/micro/kernels/kernel_util.h"
namespace my {
namespace {
TfLiteStatus Eval(TfLiteContext *context, TfLiteNode *node) {
    const TfLiteEvalTensor *input = tflite::micro::GetEvalInput(context, node, 0);
    TfLiteEvalTensor *output = tflite::micro::GetEvalOutput(context, node, 0);
    for (int i = 0; i < 4; i++) {
        output->data.int8[i] = static_cast<int8_t>(input->data.int8[3 - i] ^ 1);
    }
    return kTfLiteOk;
}
TFLMRegistration kernel = tflite::micro::RegisterOp(nullptr, nullptr, Eval);
}  // namespace
TFLMRegistration *Register_WHIRL() {
    return &kernel;
}
}  // namespace my
""",
}
"""A kernel that turns four codes round and flips their last bits."""


def ends_of_many_types() -> ModelFile:
    """Return a network of three inputs and two outputs of int8, float and int16."""
    builder = Builder()
    codes = builder.activation((1, 5), 0.1, 3)
    real = builder.activation((1, 5), 0.1, 0, "FLOAT32")
    wide = builder.activation((1, 7), 0.001, 0, "INT16")
    values = builder.activation((1, 5), 0.1, 0, "FLOAT32")
    total = builder.activation((1, 5), 0.1, 0, "FLOAT32")
    narrow = builder.activation((1, 7), 0.1, 0)
    builder.operator("DEQUANTIZE", [codes], [values])
    builder.operator("DIV", [values, real], [total])
    builder.operator("QUANTIZE", [wide], [narrow])
    return model_file(builder.finish([codes, real, wide], [total, narrow]), "ends.tflite")


def streaming() -> ModelFile:
    """Return a network that keeps a window of its inputs in a variable, which begins with 5."""
    builder = Builder()
    x, before, both = (builder.activation((1, n, 2), 0.1, 0) for n in (1, 3, 4))
    kept = builder.activation((1, 3, 2), 0.1, 0)
    handle = builder.handle("window")
    builder.begin("window", np.full((1, 3, 2), 5, np.int8))
    builder.operator("CALL_ONCE", [], [], initSubgraphIndex=1)
    builder.operator("READ_VARIABLE", [handle], [before])
    builder.operator("CONCATENATION", [before, x], [both], axis=1)
    places = [builder.constant(np.array(v, np.int32)) for v in ((0, 1, 0), (1, 3, 2))]
    builder.operator("SLICE", [both, *places], [kept])
    builder.operator("ASSIGN_VARIABLE", [handle, kept], [])
    return model_file(builder.finish([x], [both]), "streaming.tflite")


def loop() -> ModelFile:
    """Return a float network by the converter that computes as often as an input says: WHILE."""
    import tensorflow as tf

    def function(x: Any, count: Any) -> Any:
        def body(i: Any, y: Any) -> Any:
            return i + 1, tf.nn.relu(2.0 * y - x)

        return tf.while_loop(lambda i, _: i < count[0], body, (tf.constant(0), x))[1]

    return _controlled(function, "loop.tflite")


def branch() -> ModelFile:
    """Return a float network by the converter whose input says what it computes: IF."""
    import tensorflow as tf

    def function(x: Any, count: Any) -> Any:
        return tf.cond(count[0] > 3, lambda: tf.nn.relu(x), lambda: x + 1.0)

    return _controlled(function, "branch.tflite")


def _controlled(function: Any, name: str) -> ModelFile:
    """Return the network of a function of eight numbers and of one that controls it."""
    import tensorflow as tf

    ends = [tf.TensorSpec((1, 8)), tf.TensorSpec((1,), tf.int32)]
    concrete = tf.function(input_signature=ends)(function).get_concrete_function()
    return model_file(tf.lite.TFLiteConverter.from_concrete_functions([concrete]).convert(), name)


def custom(name: str = "Whirl") -> ModelFile:
    """Return a network of one custom operator."""
    builder = Builder()
    x, y = builder.activation((1, 4), 0.1, 0), builder.activation((1, 4), 0.1, 0)
    builder.operator("CUSTOM", [x], [y])
    builder.model.operatorCodes[0].customCode = name.encode()
    assert builder.model.operatorCodes[0].builtinCode == schema.BuiltinOperator.CUSTOM
    data = builder.finish([x], [y])
    graph = parse_graph(data, source="custom.tflite", is_interpreted=True)
    return ModelFile(Path("custom.tflite"), sha256(data), data, graph, None, None)
