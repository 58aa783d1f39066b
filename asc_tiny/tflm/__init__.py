"""The arena that TensorFlow Lite Micro needs for a model, by its own rules (no TensorFlow)."""
