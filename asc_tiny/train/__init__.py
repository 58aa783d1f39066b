"""Training: augmentation, schedule, loop, evaluation."""
