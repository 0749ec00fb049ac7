"""Clients that know nothing of us."""
