"""Observers: each is told what it wants to know of all sessions, and changes nothing."""
