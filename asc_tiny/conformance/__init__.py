"""A compiled network against TensorFlow Lite Micro's kernels, input by input, bit by bit."""
