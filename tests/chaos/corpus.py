"""Frames that are almost right, made from messages as they really are: what fuzz is made of. Seeded."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

JSON = dict[str, Any]

FIXTURES = Path(__file__).parent.parent / "fixtures" / "protocol"
MARK = "#######"
"""Stands where each batch has a number of its own."""
TEXT, BINARY, CLOSE, PING = 1, 2, 8, 9
"""WebSocket opcodes."""

ODD: tuple[object, ...] = (
    *(None, True, False, 0, -1, 2**31, 2**63, 10**30, 1e308, -0.5, float("nan"), float("inf")),
    *("", "\0", "\ud800", "\udfff\ud800", "a\0b\u2028", "\U0001f9d1\u200d\U0001f680", "x" * 300, "x" * 5000),
    *([], {}, [None], [[]], {"": {}}, [{}] * 40, {"type": "Settings"}, "Settings", "user", "c1", "9:9"),
)
NAMES = ("type", "id", "content", "functions", "x-new")
SAID = {"type": "ConversationText", "role": "user", "content": f"I want to learn trick {MARK}"}
CALL_ID = f"call-{MARK}"
CALLED = {
    "type": "FunctionCallRequest",
    "functions": [
        {
            "id": CALL_ID,
            "name": "submit_goal_intent",
            "arguments": json.dumps({"goal_statement": f"do {MARK}"}),
            "client_side": True,
        }
    ],
}
CANCELLED = {"type": "FunctionCallCancelled", "functions": [{"id": CALL_ID, "name": "submit_goal_intent"}]}
ANSWERED = {"type": "ConversationText", "role": "assistant", "content": f"Done: trick {MARK}."}
TALK: Sequence[JSON | bytes] = (
    *({"type": "UserStartedSpeaking"}, SAID, {"type": "EndOfTurn", "trigger": "model"}),
    *({"type": "AgentThinking", "content": "Let me see."}, CALLED, CANCELLED, ANSWERED, bytes(640)),
    *(bytes(321), {"type": "AgentAudioDone"}),
)
"""A turn of a talk, as the agent tells it."""
TYPED: Sequence[JSON | bytes] = (
    {"type": "InjectUserMessage", "content": f"I want to learn trick {MARK}"},
    *(bytes(640), {"type": "Playback", "played_ms": 40}, {"type": "KeepAlive"}, bytes(640)),
    {"type": "FunctionCallResponse", "id": CALL_ID, "name": "add_note", "content": "{}"},
)
"""A turn as the client tells it."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Frames in a row, as they are on the wire."""

    frames: int
    data: bytes


class Corpus:
    """So many pieces of fuzz, from which batches are put together."""

    def __init__(
        self,
        random: Random,
        *,
        size: int,
        messages: Sequence[JSON],
        turn: Sequence[JSON | bytes],
        masked: bool,
    ) -> None:
        """`masked`: as a client sends them."""
        self._random = random
        self._messages = messages
        self._turn = turn
        self._masked = masked
        self._made = 0
        self._pieces = [self._piece() for _ in range(size)]

    def batch(self, frames: int) -> Batch:
        """At least so many frames in a row, in any order."""
        picked: list[Batch] = []
        count = 0
        while count < frames:
            picked.append(self._random.choice(self._pieces))
            count += picked[-1].frames
        self._made += 1
        data = b"".join(piece.data for piece in picked)
        return Batch(count, data.replace(MARK.encode(), b"%07d" % self._made))

    def _piece(self) -> Batch:
        if self._random.random() < 0.05:
            turn = self._mixed_up()
            return Batch(len(turn), b"".join(self._frame(each) for each in turn))
        if self._random.random() < 0.68:
            return Batch(1, framed(BINARY, sound(self._random), masked=self._masked))
        return Batch(1, self._frame(self._random.choice(self._messages)))

    def _mixed_up(self) -> list[JSON | bytes]:
        """The turn with frames missing, doubled and in another order."""
        turn = list(self._turn)
        for _ in range(self._random.randint(0, 3)):
            place, other = self._random.randrange(len(turn)), self._random.randrange(len(turn))
            match self._random.randrange(3):
                case 0 if len(turn) > 1:
                    del turn[place]
                case 1:
                    turn.insert(other, turn[place])
                case _:
                    turn[place], turn[other] = turn[other], turn[place]
        return turn

    def _frame(self, message: JSON | bytes) -> bytes:
        if isinstance(message, bytes):
            return framed(BINARY, message, masked=self._masked)
        return framed(TEXT, mutated(self._random, message).encode(), masked=self._masked)


def samples(name: str) -> list[JSON]:
    """Messages as they are: `client` or `server`."""
    return [
        sample for sample in json.loads((FIXTURES / f"{name}.json").read_text("utf-8")).values() if sample
    ]


def framed(opcode: int, payload: bytes, *, masked: bool, head: int = 0x80) -> bytes:
    """One WebSocket frame (RFC 6455 §5.2); the mask is 0. `head`: FIN and the reserved bits."""
    bit, size = 0x80 * masked, len(payload)
    if size < 126:
        length = bytes([bit | size])
    elif size < 2**16:
        length = bytes([bit | 126]) + size.to_bytes(2, "big")
    else:
        length = bytes([bit | 127]) + size.to_bytes(8, "big")
    return bytes([head | opcode]) + length + bytes(4 * masked) + payload


def sound(random: Random) -> bytes:
    """A binary frame of any length, mostly short."""
    longest = random.choices((0, 3, 200, 1000, 60_000), (5, 10, 80, 4.9, 0.1))[0]
    return random.randbytes(random.randint(0, longest))


# ── messages ──────────────────────────────────────────────────────────────────────────────────────


def mutated(random: Random, message: JSON) -> str:
    """The message as text: as it is, with something else in it, or broken."""
    changes: tuple[Callable[[Random, JSON], str], ...] = (_whole, _changed, _broken, _enormous)
    return random.choices(changes, (30, 55, 14, 1))[0](random, message)


def _whole(_: Random, message: JSON) -> str:
    return json.dumps(message)


def _changed(random: Random, message: JSON) -> str:
    """A field or two missing, of another type, twice, or new."""
    changed = copy.deepcopy(message)
    for _ in range(random.randint(1, 2)):
        if places := _places(changed):
            inside, key = random.choice(places)
            match random.randrange(4):
                case 0:
                    del inside[key]
                case 1 if isinstance(inside, dict):
                    inside[random.choice(NAMES)] = copy.deepcopy(inside[key])
                case _:
                    inside[key] = copy.deepcopy(random.choice(ODD))
    return json.dumps(changed)


def _places(value: object) -> list[tuple[Any, Any]]:
    """Every field at every depth: what it is in, and its key there."""
    match value:
        case dict():
            keys: Sequence[object] = list(value)
        case list():
            keys = range(len(value))
        case _:
            return []
    here: list[tuple[Any, Any]] = [(value, key) for key in keys]
    return here + [place for inside, key in here for place in _places(inside[key])]


def _broken(random: Random, message: JSON) -> str:
    """No JSON, or another than it seems: cut off, a character exchanged, doubled, with a key twice."""
    text = json.dumps(message)
    place = random.randrange(len(text))
    match random.randrange(4):
        case 0:
            return text[:place]
        case 1:
            return text[:place] + random.choice('{}[]",:\\\0é0-\u2028') + text[place + 1 :]
        case 2:
            return text + text[place:]
        case _:
            return text[:1] + '"type":"Error","type":7,' + text[1:]


def _enormous(random: Random, message: JSON) -> str:
    """Deep, wide or long, below 64 KiB."""
    depth, width = random.choice((10, 31, 33, 300, 1500, 20_000)), random.randint(1, 6000)
    inner = random.choice(
        (
            "[" * depth + "]" * depth,
            '{"a":' * (depth // 4) + "0" + "}" * (depth // 4),
            "[" + "{}," * width + "0]",
            "{" + ",".join(f'"{n}":[]' for n in range(width)) + "}",
            '"' + "ü" * 3 * width + '"',
            "9" * 3 * width,
        )
    )
    text = json.dumps(message)
    return f'{text[:-1]},"{random.choice(NAMES)}":{inner}}}'


# ── the end ───────────────────────────────────────────────────────────────────────────────────────


def giant(random: Random) -> bytes:
    """A message as large as an agent's may be; it is the agent's own to send."""
    filler = random.choice((b"{},", b"[[]],", b'"x",', b"0,"))
    filling = filler * (random.choice((2**17, 2**19, 4 * 2**20 - 2**10)) // len(filler))
    return framed(TEXT, b'{"type":"FrustrationDetected","count":[' + filling + b"0]}", masked=False)


def last_words(random: Random, *, masked: bool) -> bytes:
    """What no WebSocket may send, or what ends one."""
    wrong = (
        framed(TEXT, b"\xff\xfe{", masked=masked),
        framed(TEXT, b"{}", masked=not masked),
        framed(TEXT, b"{}", masked=masked, head=0xC0),
        framed(3, b"", masked=masked),
        framed(0, b"never begun", masked=masked),
        framed(PING, bytes(126), masked=masked),
        framed(PING, b"", masked=masked, head=0),
        framed(TEXT, b"{", masked=masked, head=0) + framed(TEXT, b"}", masked=masked),
        framed(CLOSE, b"\x03", masked=masked),
        *(
            framed(CLOSE, code.to_bytes(2, "big"), masked=masked)
            for code in (0, 999, 1001, 1005, 1006, 4000, 65535)
        ),
        framed(CLOSE, b"\x03\xe8\xff\xff", masked=masked),
        framed(BINARY, bytes(5 * 2**20), masked=masked),
        random.randbytes(300),
    )
    return random.choice(wrong)
