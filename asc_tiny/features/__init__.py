"""Features of many clips, computed by the firmware's C on this computer and kept."""
