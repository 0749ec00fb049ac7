"""Ears: what turns sound into text. The one that needs no key is `pocketsphinx.py`."""
