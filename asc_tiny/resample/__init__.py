"""Rational resampler: its filter, and the integer model of the firmware's."""
