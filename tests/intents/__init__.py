"""Tests of intents/."""
