"""Decimator of PDM microphones: its filters, and the integer model of the firmware's."""
