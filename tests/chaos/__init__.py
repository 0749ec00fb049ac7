"""Faults on purpose, and whether what was seen and done is there afterwards, once."""
