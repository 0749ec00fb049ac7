"""Sentences as sound: Debian's flite, 16 kHz, mono, PCM16."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import subprocess
import tempfile
import wave
from dataclasses import dataclass
from pathlib import Path

import numpy as np

VOICES = ("slt", "rms", "awb", "kal16")
RATE = 16_000
LOUD = 327
"""A sample above this (1 % of full scale) is speech, not the synthesiser's silence."""


@dataclass(frozen=True, slots=True)
class Spoken:
    """A sentence as a voice says it."""

    pcm: bytes
    last_loud: int
    """Number of the last loud sample: where speech ends."""


def provide() -> str:
    """Have flite ready; as root on Debian it is installed. Returns why it is missing, or nothing."""
    if not shutil.which("flite") and os.geteuid() == 0 and (apt := shutil.which("apt-get")):
        print("Installing flite, the voice of the sentences (apt-get install flite).")
        subprocess.run([apt, "install", "-y", "-qq", "flite"], check=False, stdout=subprocess.DEVNULL)
    return "" if shutil.which("flite") else "flite is missing: sudo apt-get install flite (or ARGS=--typed)"


def spelled(sentence: str) -> str:
    """The sentence as flite must see it: it reads "am" as in "I am", and leaves "AM" out altogether."""
    return re.sub(r"\b(?<!I )am\b", "a.m.", sentence)


async def speak(sentence: str, voice: str) -> Spoken:
    """What the voice says; as it is, silence at its ends included."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "sentence.wav"
        process = await asyncio.create_subprocess_exec(
            *("flite", "-voice", voice, "-t", spelled(sentence), "-o", str(path)),
            stdout=asyncio.subprocess.DEVNULL,
        )
        assert await process.wait() == 0, f"flite could not say it with the voice {voice}"
        return _read(path)


def _read(path: Path) -> Spoken:
    with wave.open(str(path)) as file:
        assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (RATE, 1, 2)
        pcm = file.readframes(file.getnframes())
    loud = loud_samples(pcm)
    assert loud.size, "the voice said nothing"
    return Spoken(pcm, int(loud[-1]))


def loud_samples(pcm: bytes) -> np.ndarray[tuple[int], np.dtype[np.intp]]:
    """Numbers of the samples that are not silence."""
    samples = np.frombuffer(pcm[: len(pcm) // 2 * 2], "<i2").astype(np.int32)
    return np.flatnonzero(np.abs(samples) > LOUD)
