"""espeak-ng through ctypes: robotic, quick; from the wheel `espeakng-loader` (extra `local`; GPL-3)."""

import ctypes
import importlib
import importlib.util
from typing import Any, Final

from bridge.upstreams.cascade.speaking.engine import Take

_SYNCHRONOUS: Final = 2
"""`AUDIO_OUTPUT_SYNCHRONOUS`: nothing is played; `espeak_Synth` returns when all was called back."""
_BUFFER_MS: Final = 60
"""Milliseconds of sound in one call back."""
_UTF8: Final = 1
"""`espeakCHARS_UTF8`."""
_RATE: Final = 1
"""`espeakRATE`, the parameter for the speed, in words a minute."""
_WORDS_A_MINUTE: Final = 165
_GO_ON, _STOP = 0, 1
"""What a call back answers."""

_CALLBACK = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p)


class Espeak:
    """A `Synthesiser`."""

    sample_rate = 22_050

    def __init__(self) -> None:
        self._library: Any = None
        self._take: Take | None = None
        self._callback = _CALLBACK(self._made)
        """Kept, for the library keeps its address."""

    @staticmethod
    def installed() -> bool:
        """Whether the wheel is there."""
        return importlib.util.find_spec("espeakng_loader") is not None

    def open(self) -> None:
        """Load the library and its voice. Raises `RuntimeError`."""
        loader = importlib.import_module("espeakng_loader")
        self._library = ctypes.CDLL(loader.get_library_path())
        rate = self._library.espeak_Initialize(_SYNCHRONOUS, _BUFFER_MS, loader.get_data_path().encode(), 0)
        if rate != self.sample_rate:
            raise RuntimeError("espeak does not start")
        self._library.espeak_SetSynthCallback(self._callback)
        self._library.espeak_SetVoiceByName(b"en-us")
        self._library.espeak_SetParameter(_RATE, _WORDS_A_MINUTE, 0)

    def say(self, text: str, take: Take) -> None:
        """Speak; returns when all is said or `take` had enough."""
        data = text.encode() + b"\0"
        self._take = take
        try:
            failed = self._library.espeak_Synth(data, ctypes.c_size_t(len(data)), 0, 0, 0, _UTF8, None, None)
        finally:
            self._take = None
        if failed:
            raise RuntimeError("espeak does not speak")

    def close(self) -> None:
        """Give the library's memory back."""
        if self._library is not None:
            self._library.espeak_Terminate()
            self._library = None

    def _made(self, wave: Any, samples: int, _events: Any) -> int:
        """Called by the library, in the thread of `say`. At the end it comes without sound."""
        if not wave or self._take is None:
            return _GO_ON
        return _GO_ON if self._take(ctypes.string_at(wave, samples * 2)) else _STOP
