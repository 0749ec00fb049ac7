"""Voices: what turns a sentence into sound. flite when Debian's library is there, else espeak."""

from typing import Literal

from bridge.errors import BadConfig
from bridge.upstreams.cascade.speaking.engine import Engine
from bridge.upstreams.cascade.speaking.espeak import Espeak
from bridge.upstreams.cascade.speaking.flite import Flite

VoiceName = Literal["auto", "flite", "espeak"]


def make_engine(name: VoiceName = "auto") -> Engine:
    """The process's one speaking engine. Raises `BadConfig` when it is not installed."""
    if name in ("auto", "flite") and Flite.installed():
        return Engine(Flite())
    if name in ("auto", "espeak") and Espeak.installed():
        return Engine(Espeak())
    raise BadConfig(
        "no local voice: install Debian's libflite1, or the extra: pip install 'voice-bridge[local]'"
    )
