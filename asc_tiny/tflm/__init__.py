"""TensorFlow Lite Micro: the arena that it needs, by its own rules, and its kernels run here."""
