"""The network as sources: compiled, by TensorFlow Lite Micro, or an ensemble."""
