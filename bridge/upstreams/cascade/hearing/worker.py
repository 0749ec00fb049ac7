"""A process that does nothing but hear: decoding holds Python's lock, which must not be the server's.

Runs as `python -m bridge.upstreams.cascade.hearing.worker <folder> <parent's pid>`. Frames go in by standard
input, results come out by standard output; each is `kind (1 byte), utterance (4), length (4), payload`:

    in    START state · HEAR pcm · FINISH · CANCEL          out    PARTIAL words · HEARD json · FAILED

Several utterances may be under way at once. At the end of the input the process ends.
"""

import ctypes
import json
import os
import signal
import struct
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO, Final

from bridge.audio.pcm import Leveller
from bridge.upstreams.cascade.hearing import MODEL_FILE, WORDS_FILE

START, HEAR, FINISH, CANCEL, PARTIAL, HEARD, FAILED = range(7)
HEADER: Final = struct.Struct("<BII")

MOST_DECODERS: Final = 12
"""How many people may talk at the same moment to one process; a decoder takes 35 MB."""
LANGUAGE_WEIGHT: Final = 5.5
"""How much the language model counts beside the sound (pocketsphinx: 6.5, with a fifth more words wrong)."""
MOST_ALTERNATIVES: Final = 6
"""Other wordings that are told."""
LOOKED_AT: Final = 30
"""Paths through the lattice that are looked at for them; many are the same words."""
PARTIAL_EVERY: Final = 3_200
"""Bytes of sound between two looks at the words so far: 100 ms."""
LOUDNESS_DBFS: Final = -23.0
"""What the sound is levelled to; the cepstral mean below was measured at it."""
USUAL_MEAN: Final = "42.7,1.3,4.2,15.9,-1.4,-1.3,2.9,-5.5,-2.6,-2.8,3.9,1.4,1.5"
"""Where the cepstral mean begins for a voice never heard before; from there it follows the voice."""


def pack(kind: int, number: int, payload: bytes = b"") -> bytes:
    """One frame of the pipe."""
    return HEADER.pack(kind, number, len(payload)) + payload


@dataclass(slots=True)
class Recognition:
    """One utterance as it is being recognised."""

    decoder: Any
    leveller: Leveller
    unseen: int = 0
    """Bytes heard since the last look at the words so far."""
    partial: str = ""


@dataclass(slots=True)
class Worker:
    """Decodes many utterances side by side, one decoder each."""

    folder: Path
    out: BinaryIO
    spare: list[Any] = field(default_factory=list)
    """Decoders nobody uses now."""
    busy: dict[int, Recognition] = field(default_factory=dict)
    """The utterances under way, by number."""

    def take(self, kind: int, number: int, payload: bytes) -> None:
        """Do what one frame asks for."""
        if kind == START:
            self.start(number, payload.decode())
        elif number in self.busy:
            if kind == HEAR:
                self.hear(number, payload)
            else:
                self.end(number, tell=kind == FINISH)
        elif kind == FINISH:
            self.tell(FAILED, number)

    def start(self, number: int, state: str) -> None:
        """Begin an utterance with what is known of the voice: `cepstral mean;gain in dB`, or nothing."""
        if len(self.busy) >= MOST_DECODERS:
            return
        decoder = self.spare.pop() if self.spare else make_decoder(self.folder)
        mean, _, gain = state.partition(";")
        decoder.set_cmn(mean or USUAL_MEAN)
        decoder.start_utt()
        leveller = Leveller(LOUDNESS_DBFS)
        leveller.gain = float(gain or 0)
        self.busy[number] = Recognition(decoder, leveller)

    def hear(self, number: int, pcm: bytes) -> None:
        """Take sound; report the words so far when they changed."""
        recognition = self.busy[number]
        recognition.decoder.process_raw(recognition.leveller.feed(pcm))
        recognition.unseen += len(pcm)
        if recognition.unseen >= PARTIAL_EVERY:
            recognition.unseen = 0
            words = as_written(_hypothesis(recognition.decoder)[0])
            if words != recognition.partial:
                recognition.partial = words
                self.tell(PARTIAL, number, words.encode())

    def end(self, number: int, *, tell: bool) -> None:
        """End an utterance, and tell the result if it is wanted."""
        recognition = self.busy.pop(number)
        recognition.decoder.end_utt()
        if tell:
            words, confidence = _hypothesis(recognition.decoder)
            state = f"{recognition.decoder.get_cmn()};{recognition.leveller.gain:.1f}"
            heard = {
                "text": as_written(words),
                "confidence": round(confidence, 3),
                "state": state,
                "alternatives": _alternatives(recognition.decoder, words),
            }
            self.tell(HEARD, number, json.dumps(heard).encode())
        self.spare.append(recognition.decoder)

    def tell(self, kind: int, number: int, payload: bytes = b"") -> None:
        """Write one frame to the server."""
        self.out.write(pack(kind, number, payload))
        self.out.flush()


def _hypothesis(decoder: Any) -> tuple[str, float]:
    """The words so far, and the geometric mean of their posterior probabilities (0–1)."""
    guess = decoder.hyp()
    if guess is None or not guess.hypstr:
        return "", 0.0
    return guess.hypstr, min(1.0, guess.prob) ** (1 / len(guess.hypstr.split()))


def _alternatives(decoder: Any, words: str) -> list[str]:
    """What else it may have been, likeliest first; takes less than a millisecond."""
    found: list[str] = []
    for guess in islice(decoder.nbest() or (), LOOKED_AT) if words else ():
        text = as_written(guess.hypstr or "")
        if text and text not in (as_written(words), *found):
            found.append(text)
        if len(found) == MOST_ALTERNATIVES:
            break
    return found


def as_written(words: str) -> str:
    """What the ear says, as others write it: "five p.m." → "five pm"."""
    return words.replace("p.m.", "pm").replace("a.m.", "am")


def make_decoder(folder: Path) -> Any:
    """A decoder with the agent's language model; 0.3 s. Its second pass takes some 30 ms after a turn."""
    from pocketsphinx import Decoder

    model, words = str(folder / MODEL_FILE), str(folder / WORDS_FILE)
    return Decoder(lm=model, dict=words, lw=LANGUAGE_WEIGHT, cmninit=USUAL_MEAN, loglevel="FATAL")


def frames(source: BinaryIO) -> Iterator[tuple[int, int, bytes]]:
    """Frames of the pipe until it is closed."""
    while len(head := source.read(HEADER.size)) == HEADER.size:
        kind, number, length = HEADER.unpack(head)
        payload = source.read(length)
        if len(payload) < length:
            return
        yield kind, number, payload


def die_with(parent: int) -> None:
    """Have the kernel kill this process when the server is gone, however it went (PR_SET_PDEATHSIG)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)
    if os.getppid() != parent:
        raise SystemExit


def main() -> None:
    """Hear until the input ends. What C code prints goes to the error output, not between the frames."""
    folder, parent = Path(sys.argv[1]), int(sys.argv[2])
    die_with(parent)
    os.nice(5)  # whoever relays sound goes first
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    out = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    worker = Worker(folder, out)
    worker.spare.append(make_decoder(folder))
    for kind, number, payload in frames(sys.stdin.buffer):
        worker.take(kind, number, payload)


if __name__ == "__main__":
    main()
