"""Tests of the page: its pure modules in Node, the whole of it in a real Chromium."""
