"""Debian's flite through ctypes: the voice slt, a permissive licence, more natural than espeak.

`apt-get install libflite1` is all it takes. The sound is streamed: the library calls back while it makes it.
"""

import ctypes
from typing import Any, Final

from bridge.upstreams.cascade.speaking.engine import Take

_VOICES: Final = ("slt", "rms", "awb", "kal16")
"""What Debian ships at 16 kHz; the first that is there is taken."""
_PIECE: Final = 800
"""Samples of the pieces that are called back: 50 ms."""
_GO_ON, _STOP = 0, -1
"""What a call back answers: `CST_AUDIO_STREAM_CONT`, `CST_AUDIO_STREAM_STOP`."""


class _Wave(ctypes.Structure):
    """flite: `cst_wave`."""

    _fields_ = (
        ("type", ctypes.c_char_p),
        ("sample_rate", ctypes.c_int),
        ("num_samples", ctypes.c_int),
        ("num_channels", ctypes.c_int),
        ("samples", ctypes.POINTER(ctypes.c_short)),
    )


class _Streaming(ctypes.Structure):
    """flite: `cst_audio_streaming_info`."""

    _fields_ = (
        ("min_buffsize", ctypes.c_int),
        ("asc", ctypes.c_void_p),
        ("utt", ctypes.c_void_p),
        ("item", ctypes.c_void_p),
        ("userdata", ctypes.c_void_p),
    )


class _Voice(ctypes.Structure):
    """flite: the beginning of `cst_voice`."""

    _fields_ = (("name", ctypes.c_char_p), ("features", ctypes.c_void_p))


_CALLBACK = ctypes.CFUNCTYPE(
    ctypes.c_int, ctypes.POINTER(_Wave), ctypes.c_int, ctypes.c_int, ctypes.c_int, ctypes.c_void_p
)


class Flite:
    """A `Synthesiser`."""

    sample_rate = 16_000

    def __init__(self) -> None:
        self._library: Any = None
        self._voice: Any = None
        self._take: Take | None = None
        self._callback = _CALLBACK(self._made)
        """Kept, for the library keeps its address."""

    @staticmethod
    def installed() -> bool:
        """Whether the library and one of its voices are there."""
        return _library("flite") is not None and _voice() is not None

    def open(self) -> None:
        """Load the library and its voice. Raises `RuntimeError`."""
        voice = _voice()
        library = self._library = _library("flite")
        if voice is None or library is None:
            raise RuntimeError("flite is not installed")
        library.new_audio_streaming_info.restype = ctypes.POINTER(_Streaming)
        library.audio_streaming_info_val.restype = ctypes.c_void_p
        library.flite_text_to_wave.restype = ctypes.POINTER(_Wave)
        library.flite_text_to_wave.argtypes = (ctypes.c_char_p, ctypes.POINTER(_Voice))
        library.delete_wave.argtypes = (ctypes.POINTER(_Wave),)
        library.feat_set.argtypes = (ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p)
        library.flite_init()
        voice.restype = ctypes.POINTER(_Voice)
        self._voice = voice(None)
        self._stream()

    def _stream(self) -> None:
        """Tell the voice to call back while it speaks."""
        streaming = self._library.new_audio_streaming_info()
        streaming.contents.min_buffsize = _PIECE
        streaming.contents.asc = ctypes.cast(self._callback, ctypes.c_void_p)
        value = self._library.audio_streaming_info_val(streaming)
        self._library.feat_set(self._voice.contents.features, b"streaming_info", value)

    def say(self, text: str, take: Take) -> None:
        """Speak; returns when all is said or `take` had enough."""
        self._take = take
        try:
            wave = self._library.flite_text_to_wave(text.encode(), self._voice)
        finally:
            self._take = None
        if not wave:
            raise RuntimeError("flite does not speak")
        self._library.delete_wave(wave)

    def close(self) -> None:
        """The voice is part of the library, which stays loaded."""
        self._library = self._voice = None

    def _made(self, wave: Any, start: int, samples: int, _last: int, _info: Any) -> int:
        """Called by the library, in the thread of `say`."""
        if self._take is None:
            return _GO_ON
        begin = ctypes.addressof(wave.contents.samples.contents) + start * 2
        return _GO_ON if self._take(ctypes.string_at(begin, samples * 2)) else _STOP


def _library(name: str) -> Any:
    """The library, or None."""
    try:
        return ctypes.CDLL(f"lib{name}.so.1")
    except OSError:
        return None


def _voice() -> Any:
    """The function that registers the first voice that is installed, or None."""
    for name in _VOICES:
        if (library := _library(f"flite_cmu_us_{name}")) is not None:
            return library[f"register_cmu_us_{name}"]
    return None
