"""What all rooms use: errors, files, locks, text for people, drawings."""
