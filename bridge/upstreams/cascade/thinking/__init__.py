"""Minds: what reads a turn and answers. Here the one of rules, which needs no model and no key."""
