"""The order of the work and the places in memory: search, schedule, allocation."""
