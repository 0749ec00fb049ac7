"""Builds the ear's language model for an agent: what its users may well say, in front of everyday English.

    phrases with {slots} ─▶ sentences ─▶ three-word model ─ 0.75 ┐
                      shipped English ─▶ one- and two-word cut ─ 0.25 ┴▶ model.arpa.gz, words.dict

Run once by `voice-bridge build-language-model <agent>`; the two small files are committed with the agent.
"""

import gzip
import io
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, assert_never

from bridge.core.agent import Agent, Kind, Parameter
from bridge.upstreams.cascade.hearing import MODEL_FILE, WORDS_FILE, ngrams
from bridge.upstreams.cascade.hearing.dictionary import (
    Pronunciations,
    format_dictionary,
    guess,
    read_dictionary,
)
from bridge.upstreams.cascade.hearing.phrases import Expander, load_fillers, read_slots, split_phrases
from bridge.upstreams.cascade.hearing.shipped import model_folder, shipped_model

_TIMES: Final = 60
"""How often a phrase with slots is filled."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What came out."""

    sentences: int
    words: int
    ngrams: int
    guessed: tuple[str, ...]
    """Words whose pronunciation was guessed by their spelling."""
    left_out: tuple[str, ...]
    """Words that cannot be pronounced, and so cannot be heard."""
    unknown_slots: tuple[str, ...]
    """Slots without sample values of their own; any words were put there."""


def build_for(agent: Agent, out: Path) -> Report:
    """`build` from an agent's examples; a slot we have no values for gets some by its parameter's kind."""
    examples = [example for intent in agent.intents for example in intent.examples]
    parameters = [parameter for intent in agent.intents for parameter in intent.parameters]
    return build(examples, out, slots={p.name: values for p in parameters if (values := _samples(p))})


def _samples(parameter: Parameter) -> tuple[str, ...]:
    """Sample values of a parameter by its kind; none for plain text, where any words may come."""
    match parameter.kind:
        case Kind.TIME:
            return ("{when}",)
        case Kind.RECURRENCE:
            return ("{often}",)
        case Kind.NUMBER:
            return ("{number}",)
        case Kind.BOOLEAN:
            return ("yes", "no")
        case Kind.CHOICE:
            return parameter.choices
        case Kind.REFERENCE | Kind.TEXT:
            return ()
        case _ as other:
            assert_never(other)


def build(
    phrases: Iterable[str],
    out: Path,
    *,
    slots: Mapping[str, Sequence[str]] | None = None,
    share: float = 0.75,
    words: int = 20_000,
    pairs: int = 400_000,
) -> Report:
    """Write `model.arpa.gz` and `words.dict` into the folder `out`; takes 15 s.

    `phrases`: an agent's `examples:`, with `{slots}`; the everyday ones are added. `slots`: sample values for
    those `fillers.yaml` does not have. `share`: weight of the phrases. `words`, `pairs`: size of the rest.
    """
    fillers = load_fillers()
    expander = Expander({**(slots or {}), **read_slots(fillers["slots"])})
    wanted = [*phrases, *split_phrases(fillers["answers"]), *split_phrases(fillers["phrases"])]
    sentences = [said for phrase in wanted for said in expander.expand(phrase, _TIMES)]
    shipped = shipped_model()
    sounds = read_dictionary(model_folder() / "cmudict-en-us.dict")
    ours = {word for said in sentences for word in said.split()}
    guessed, left_out = _pronounce(ours, sounds)
    vocabulary = (ours - left_out) | _commonest(shipped, sounds, words - len(ours))
    own = ngrams.estimate(ngrams.count(s for s in sentences if left_out.isdisjoint(s.split())), least=2)
    model = ngrams.mix(own, ngrams.cut(shipped, vocabulary, pairs), share)
    _write(model, format_dictionary(sounds, vocabulary), out)
    return Report(
        sentences=len(sentences),
        words=len(vocabulary),
        ngrams=len(model.explicit),
        guessed=tuple(sorted(guessed)),
        left_out=tuple(sorted(left_out)),
        unknown_slots=tuple(sorted(expander.unknown)),
    )


def _pronounce(words: Iterable[str], sounds: Pronunciations) -> tuple[set[str], set[str]]:
    """Add a guess to `sounds` for every word without a pronunciation → the guessed, the hopeless."""
    guessed: set[str] = set()
    hopeless: set[str] = set()
    for word in words:
        if word not in sounds:
            said = guess(word)
            (guessed if said else hopeless).add(word)
            if said:
                sounds[word] = [said]
    return guessed, hopeless


def _commonest(model: ngrams.Model, sounds: Pronunciations, most: int) -> set[str]:
    """The most frequent words of everyday English that have a pronunciation."""
    often = Counter({g[0]: p for g, p in model.explicit.items() if len(g) == 1 and _ordinary(g[0], sounds)})
    return {word for word, _ in often.most_common(max(0, most))}


def _ordinary(word: str, sounds: Pronunciations) -> bool:
    return word in sounds and word[0].isalpha() and (len(word) > 1 or word in {"a", "i"}) and "." not in word


def _write(model: ngrams.Model, words: str, out: Path) -> None:
    out.mkdir(parents=True, exist_ok=True)
    arpa = io.StringIO()
    ngrams.write_arpa(model, arpa)
    (out / MODEL_FILE).write_bytes(gzip.compress(arpa.getvalue().encode(), mtime=0))
    (out / WORDS_FILE).write_text(words, encoding="utf-8")
