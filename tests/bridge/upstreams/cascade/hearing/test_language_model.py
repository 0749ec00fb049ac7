"""The ear's language model: phrases, numbers in it, and what is committed for Flux."""

import gzip
import io
import re
from pathlib import Path

import pytest

from bridge.core.agent import Agent, Intent, Kind, Parameter
from bridge.upstreams.cascade.hearing import MODEL_FILE, WORDS_FILE, ngrams
from bridge.upstreams.cascade.hearing.dictionary import format_dictionary, guess, read_dictionary
from bridge.upstreams.cascade.hearing.language_model import build_for
from bridge.upstreams.cascade.hearing.phrases import (
    Expander,
    load_fillers,
    read_slots,
    say_number,
    split_phrases,
    spoken,
)

FLUX = Path(__file__).parents[5] / "config" / "agents" / "flux" / "hearing"


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("Remind me to call Mom!", "remind me to call mom"),
        ("tomorrow at 5pm", "tomorrow at five p.m."),
        ("at 7:30 am, please", "at seven thirty a.m. please"),
        ("at 9:00 p.m.", "at nine p.m."),
        ("I’m what I am", "i'm what i am"),
        ("save 1500 dollars", "save one thousand five hundred dollars"),
        ("my parents' house", "my parents' house"),
    ],
)
def test_a_phrase_is_spelled_as_it_is_spoken(written: str, said: str) -> None:
    assert spoken(written) == said


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (0, "zero"),
        (13, "thirteen"),
        (40, "forty"),
        (45, "forty five"),
        (101, "one hundred one"),
        (2_000, "two thousand"),
    ],
)
def test_numbers_are_said_in_words(number: int, words: str) -> None:
    assert say_number(number) == words


def test_slots_are_filled_with_their_values_whatever_their_name() -> None:
    expander = Expander(read_slots({"day|date": "today, on {weekday}", "weekday": "monday"}))
    said = set(expander.expand("call {date} or {day}", 50))
    assert said == {f"call {a} or {b}" for a in ("today", "on monday") for b in ("today", "on monday")}
    assert expander.unknown == set()


def test_a_slot_nobody_knows_is_filled_with_any_words_and_noted() -> None:
    expander = Expander(read_slots({"thing": "milk"}))
    assert list(expander.expand("buy {ingredient}", 1)) == ["buy milk"]
    assert expander.unknown == {"ingredient"}


def test_our_fillers_fill_every_slot_they_use() -> None:
    fillers = load_fillers()
    expander = Expander(read_slots(fillers["slots"]))
    phrases = split_phrases([*fillers["answers"], *fillers["phrases"]])
    assert len(phrases) > 150
    for phrase in phrases:
        for said in expander.expand(phrase, 5):
            assert not re.search(r"[{}|\d]", said), phrase
    assert expander.unknown == set()


SENTENCES = ["remind me to call mom", "remind me to buy milk", "yes", "call mom"] * 3


def total(model: ngrams.Model, context: ngrams.Ngram) -> float:
    words = [ngram[0] for ngram in model.explicit if len(ngram) == 1]
    return sum(model.prob((*context, word)) for word in words)


@pytest.mark.parametrize(
    "context", [(), ("me",), ("remind", "me"), ("to", "call"), ("yes",), ("never", "seen")]
)
def test_probabilities_sum_to_one_after_any_words(context: ngrams.Ngram) -> None:
    own = ngrams.estimate(ngrams.count(SENTENCES), least=2)
    other = ngrams.estimate(ngrams.count(["buy a house", "call a friend to say yes", "me too"]))
    assert total(own, context) == pytest.approx(1, abs=1e-6)
    assert total(ngrams.mix(own, other, 0.8), context) == pytest.approx(1, abs=1e-6)


def test_what_was_said_often_is_more_likely() -> None:
    model = ngrams.estimate(ngrams.count(SENTENCES))
    assert model.prob(("remind", "me", "to")) > 0.7
    assert model.prob(("remind", "me", "yes")) < 0.05
    assert model.prob(("unheard",)) == 0


def test_a_model_cut_to_some_words_has_only_those() -> None:
    model = ngrams.estimate(ngrams.count(SENTENCES))
    cut = ngrams.cut(model, {"call", "mom"}, pairs=1)
    assert {word for ngram in cut.explicit for word in ngram} <= {"call", "mom", "<s>", "</s>"}
    assert sum(len(ngram) == 2 for ngram in cut.explicit) == 1
    assert total(cut, ("call",)) == pytest.approx(1, abs=1e-6)


def test_the_arpa_text_counts_its_lines_right() -> None:
    out = io.StringIO()
    ngrams.write_arpa(ngrams.estimate(ngrams.count(SENTENCES)), out)
    text = out.getvalue()
    for size in (1, 2, 3):
        promised = re.search(rf"ngram {size}=(\d+)", text)
        section = re.search(rf"\\{size}-grams:\n(.*?)\n\n", text, re.DOTALL)
        assert promised
        assert section
        assert int(promised[1]) == len(section[1].splitlines())


@pytest.mark.parametrize(
    ("word", "sounds"),
    [
        ("declutter", "D EH K L AH T ER"),
        ("grape", "G R EY P"),
        ("shopping", "SH AA P IH NG"),
        ("kombi", "K AA M B IH"),
        ("xyz1", None),
        ("brrr", None),
    ],
)
def test_a_word_nobody_knows_is_pronounced_by_its_spelling(word: str, sounds: str | None) -> None:
    said = guess(word)
    assert (said and set(said.split()) <= set(PHONES.split())) if sounds else said is None
    if word in ("declutter", "grape", "shopping"):
        assert said == sounds


PHONES = (
    "AA AE AH AO AW AY B CH D DH EH ER EY F G HH IH IY JH K L M N NG OW OY P R S SH T TH UH UW V W Y Z ZH"
)


def test_a_dictionary_survives_a_round_trip(tmp_path: Path) -> None:
    path = tmp_path / "words.dict"
    path.write_text("a AH\na(2) EY\nam AE M\nam(2) EY EH M\n")
    sounds = read_dictionary(path)
    assert sounds == {"a": ["AH", "EY"], "am": ["AE M"]}
    assert format_dictionary(sounds, ["am", "a"]) == "a AH\na(2) EY\nam AE M\n"


def test_flux_has_a_model_whose_words_can_all_be_pronounced() -> None:
    arpa = gzip.decompress((FLUX / MODEL_FILE).read_bytes()).decode()
    singles = arpa.split("\\1-grams:\n")[1].split("\n\n")[0]
    words = {line.split("\t")[1] for line in singles.splitlines()} - {"<s>", "</s>"}
    sounds = read_dictionary(FLUX / WORDS_FILE)
    assert words == set(sounds)
    assert {"remind", "spanish", "reschedule", "p.m.", "monday"} <= words
    assert (FLUX / MODEL_FILE).stat().st_size + (FLUX / WORDS_FILE).stat().st_size < 3_500_000


def test_a_model_is_built_from_an_agents_examples(tmp_path: Path) -> None:
    pytest.importorskip("pocketsphinx", reason="building needs the extra `local`: make setup")
    parameters = (Parameter(name="dish"), Parameter(name="eaten_at", kind=Kind.TIME))
    intent = Intent(
        name="cook", route="COOK", description="", handler="python:x:y", parameters=parameters,
        examples=("sous vide {dish} {eaten_at}", "grzmblfx the {dish}"),
    )  # fmt: skip
    report = build_for(Agent(name="cook", title="Cook", prompt="", intents=(intent,)), tmp_path)
    assert report.unknown_slots == ("dish",)
    assert report.left_out == ("grzmblfx",)
    assert 1_000 < report.words <= 20_000
    assert {"sous", "tomorrow"} <= set(read_dictionary(tmp_path / WORDS_FILE))
    assert "\tsous vide" in gzip.decompress((tmp_path / MODEL_FILE).read_bytes()).decode()


def test_the_same_phrases_give_the_same_sentences() -> None:
    slots = read_slots(load_fillers()["slots"])
    first, again = (list(Expander(slots).expand("remind me to {title} {scheduled_at}", 50)) for _ in range(2))
    assert first == again
    assert len(set(first)) > 40
