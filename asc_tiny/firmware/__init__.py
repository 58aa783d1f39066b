"""Code generation: .tflite to C, front-end tables, projects."""
