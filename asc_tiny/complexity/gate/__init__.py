"""The gate of ``asc-tiny budget``: limits, baselines and the formats of its reports."""
