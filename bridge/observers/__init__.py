"""Observers: they watch every step of every session and change nothing."""
