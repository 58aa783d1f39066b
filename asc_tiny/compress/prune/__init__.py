"""Structured pruning: fewer filters in new, smaller layers."""
