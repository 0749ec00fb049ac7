"""Tests of the mind of rules."""
