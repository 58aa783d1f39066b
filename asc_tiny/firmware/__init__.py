"""Sources of the firmware from a model: network, front end, labels, decision, self-test."""
