"""Estimates of cycles from what an emulated core executes."""
