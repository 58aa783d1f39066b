"""Changes of training data: noise, devices, masks."""
