"""Smaller models: pruning, int8 quantisation, fine-tuning."""
