"""Ears: what turns sound into text. The one that needs no key is `pocketsphinx.py`."""

from typing import Final

MODEL_FILE: Final = "model.arpa.gz"
"""In an agent's folder `hearing`: what its users are likely to say."""
WORDS_FILE: Final = "words.dict"
"""Beside it: how each word of it sounds."""
