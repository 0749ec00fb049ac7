"""The English that the pocketsphinx wheel ships: its n-gram model as numbers, its dictionary, its folder."""

import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

from bridge.errors import BadConfig
from bridge.upstreams.cascade.hearing.ngrams import Model, Ngram

_DUMP: Final = """
import sys
from pocketsphinx import Config, LogMath, NGramModel, get_model_path
unit = LogMath(1.0001)
NGramModel(Config(lm=None), unit, get_model_path("en-us/en-us.lm.bin")).write(sys.argv[1])
"""
"""`unit` must outlive the model, which borrows it without saying so: else the numbers are noise."""


def model_folder() -> Path:
    """Where the wheel keeps its English. Raises `BadConfig` when pocketsphinx is not installed."""
    try:
        from pocketsphinx import get_model_path
    except ImportError:
        raise BadConfig("the local ear needs the extra `local`: pip install 'voice-bridge[local]'") from None
    return Path(get_model_path("en-us"))


def shipped_model() -> Model:
    """One-word and two-word n-grams of the shipped model (72,547 words, 2,051,547 pairs); takes 3 s.

    The wheel can only write the model, and crashes when it comes to the three-word n-grams: so that happens
    in another process, and what was written by then is enough.
    """
    model_folder()
    with tempfile.TemporaryDirectory() as folder:
        dump = Path(folder, "shipped.arpa")
        subprocess.run([sys.executable, "-c", _DUMP, dump], check=False, stderr=subprocess.DEVNULL)
        if not dump.is_file() or dump.stat().st_size < 1_000_000:
            raise BadConfig("pocketsphinx could not write its own language model")
        return _read_dump(dump)


def _read_dump(dump: Path) -> Model:
    explicit: dict[Ngram, float] = {}
    backoff: dict[Ngram, float] = {}
    size = 0
    with dump.open(encoding="utf-8", errors="replace") as lines:
        for line in lines:
            fields = line.split()
            if line.startswith("\\") and line.endswith("-grams:\n"):
                size = int(line[1])
            elif size and len(fields) == size + 2 and line.endswith("\n"):
                ngram = tuple(fields[1 : size + 1])
                explicit[ngram] = 10 ** float(fields[0])
                backoff[ngram] = 10 ** float(fields[-1])
    return Model(explicit, backoff)
