"""N-gram language models: counted from sentences, cut, mixed, and written in the ARPA format.

A model is a set of explicit probabilities and, for each context, the weight with which it backs off to the
shorter context when a word has none. Contexts and n-grams are tuples of words, oldest first.
"""

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Set
from dataclasses import dataclass
from typing import Final, TextIO

Ngram = tuple[str, ...]

START: Final = "<s>"
END: Final = "</s>"
ORDER: Final = 3
"""Words of the longest n-gram."""


@dataclass(frozen=True, slots=True)
class Model:
    """Probabilities are plain (0–1), not logarithms."""

    explicit: Mapping[Ngram, float]
    """P(last word | words before it), for n-grams of one word and more."""
    backoff: Mapping[Ngram, float]
    """Context → weight of the shorter context; 1 when it is not there."""

    def prob(self, ngram: Ngram) -> float:
        """P(last word | words before it); 0 for a word the model does not have."""
        known = self.explicit.get(ngram)
        if known is not None:
            return known
        if len(ngram) == 1:
            return 0.0
        return self.backoff.get(ngram[:-1], 1.0) * self.prob(ngram[1:])


def count(sentences: Iterable[str]) -> Counter[Ngram]:
    """How often each n-gram of up to three words occurs, sentence marks included."""
    seen: Counter[Ngram] = Counter()
    for sentence in sentences:
        words = (START, *sentence.split(), END)
        for size in range(1, ORDER + 1):
            seen.update(words[at : at + size] for at in range(len(words) - size + 1))
    return seen


def estimate(seen: Mapping[Ngram, int], least: int = 1) -> Model:
    """Witten–Bell, interpolated: what was seen in many places with many followers gives more to the unseen.

    `least`: three-word n-grams seen less often are left out.
    """
    total: Counter[Ngram] = Counter()
    followers: Counter[Ngram] = Counter()
    for ngram, times in seen.items():
        if ngram != (START,):
            total[ngram[:-1]] += times
            followers[ngram[:-1]] += 1
    explicit: dict[Ngram, float] = {}
    for ngram in sorted(seen, key=len):
        context = ngram[:-1]
        if ngram == (START,):
            continue
        shorter = explicit[ngram[1:]] if context else 1 / followers[()]
        share = seen[ngram] + followers[context] * shorter
        explicit[ngram] = share / (total[context] + followers[context])
    kept = {g: p for g, p in explicit.items() if len(g) < ORDER or seen[g] >= least}
    return Model(kept, _backoffs(kept))


def cut(model: Model, words: Set[str], pairs: int) -> Model:
    """The model with those words only, and of its pairs the ones that tell most (about `pairs` of them)."""
    known = words | {START, END}
    singles: dict[Ngram, float] = {
        g: p for g, p in model.explicit.items() if len(g) == 1 and g[0] in known and g != (START,)
    }
    whole = sum(singles.values())
    singles = {g: p / whole for g, p in singles.items()}
    gains = sorted(_gains(model, singles, known), reverse=True)[:pairs]
    explicit = singles | {pair: model.explicit[pair] for _, pair in gains}
    return Model(explicit, _backoffs(explicit))


def _gains(model: Model, singles: Mapping[Ngram, float], known: Set[str]) -> Iterator[tuple[float, Ngram]]:
    """How much each pair differs from what backing off would say, weighted by how often it occurs."""
    for pair, likely in model.explicit.items():
        if len(pair) != 2 or pair[0] not in known or pair[1] not in known or likely <= 0:
            continue
        often = 0.05 if pair[0] == START else singles[pair[:1]]
        blind = model.backoff.get(pair[:1], 1.0) * model.explicit[pair[1:]]
        if blind > 0 and likely > blind:
            yield often * likely * math.log(likely / blind), pair


def mix(first: Model, second: Model, share: float) -> Model:
    """`share` of the first model and the rest of the second; n-grams of either are explicit in the result."""
    both = first.explicit.keys() | second.explicit.keys()
    explicit = {g: share * first.prob(g) + (1 - share) * second.prob(g) for g in both}
    return Model(explicit, _backoffs(explicit))


def _backoffs(explicit: Mapping[Ngram, float]) -> dict[Ngram, float]:
    """What makes each context's probabilities sum to one."""
    given: defaultdict[Ngram, float] = defaultdict(float)
    shorter: defaultdict[Ngram, float] = defaultdict(float)
    for ngram, likely in explicit.items():
        if len(ngram) > 1:
            given[ngram[:-1]] += likely
    weights: dict[Ngram, float] = {}
    for size in range(2, ORDER + 1):
        lower = Model(explicit, weights)
        for ngram in (g for g in explicit if len(g) == size):
            shorter[ngram[:-1]] += lower.prob(ngram[1:])
        for context in (c for c in given if len(c) == size - 1):
            weights[context] = max(1e-9, 1 - given[context]) / max(1e-9, 1 - shorter[context])
    return weights


def write_arpa(model: Model, out: TextIO) -> None:
    """The model as text, in the format every decoder reads: base-ten logarithms."""
    explicit = {(START,): 1e-99, **model.explicit}
    sizes = Counter(len(ngram) for ngram in explicit)
    out.write("\\data\\\n" + "".join(f"ngram {size}={sizes[size]}\n" for size in sorted(sizes)))
    for size in sorted(sizes):
        out.write(f"\n\\{size}-grams:\n")
        for ngram in sorted(g for g in explicit if len(g) == size):
            out.write(f"{_log(explicit[ngram])}\t{' '.join(ngram)}")
            out.write(f"\t{_log(model.backoff[ngram])}\n" if ngram in model.backoff else "\n")
    out.write("\n\\end\\\n")


def _log(value: float) -> str:
    return f"{math.log10(max(value, 1e-99)):.3f}"
