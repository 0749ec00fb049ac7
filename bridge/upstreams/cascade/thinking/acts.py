"""What a sentence does in the talk apart from wishing: it cancels, agrees, thanks, greets, corrects."""

from collections.abc import Iterator, Sequence
from enum import Enum
from typing import Final

from bridge.upstreams.cascade.thinking.sounds import sounds


class Act(Enum):
    """What somebody does by saying something."""

    CANCEL = "cancel"
    YES = "yes"
    NO = "no"
    THANKS = "thanks"
    BYE = "bye"
    HELP = "help"
    REPEAT = "repeat"
    HELLO = "hello"
    PAUSE = "pause"
    """They think aloud: nothing is to be done yet."""
    WHATEVER = "whatever"
    """They have no answer to the question."""


def _phrases(text: str) -> frozenset[str]:
    """Phrases between bars."""
    return frozenset(" ".join(phrase.split()) for phrase in text.split("|"))


_HESITATION: Final = frozenset(
    ["um", "uh", "uhm", "er", "erm", "hmm", "well", "oh", "so", "please", "just", "hey"]
)

_EXACTLY: Final[dict[Act, frozenset[str]]] = {
    Act.CANCEL: _phrases("""
        never mind | forget it | forget about it | forget that | cancel | cancel that | cancel it |
        no cancel that | no cancel it | stop | stop it | scratch that | leave it | undo that | undo |
        delete that | take that back | drop it | drop that | no forget it | skip it | do not do that |
        do not worry about it | i changed my mind | i have changed my mind | no stop | please stop |
        actually never mind | no never mind | actually no | no do not | do not | actually forget it |
        do not bother | no do not bother | do not do it | no do not do that | no do not do it |
        let us not | let us not do that | let us not do it | no let us not | no leave it |
        forget the whole thing
    """),
    Act.YES: _phrases("""
        yes | sure | ok | correct | right | exactly | go ahead | do it | sounds good | that works |
        perfect | great | fine | good | absolutely | of course | definitely | that is right |
        all right | that is correct | yes thank you | yes that is right | yes do it | yes go ahead |
        sure go ahead | please do | yes please | i am sure | yes i am sure | of course yes | yes i do |
        yes it is
    """),
    Act.NO: _phrases("""
        no | no thanks | no thank you | not really | not now | no that is wrong | that is wrong |
        that is not right | wrong | no it is not | that is not what i said | no no | not that |
        i do not | no that is not right | no that is not what i said | no way
    """),
    Act.THANKS: _phrases("""
        thanks | thank you | thank you very much | thanks a lot | many thanks | great thank you |
        cool | ok thanks | ok thank you | great thanks | thank you so much | perfect thank you | nice |
        awesome | perfect thanks | cool thanks | wonderful | lovely | good job | well done | ok great |
        ok cool
    """),
    Act.BYE: _phrases("""
        bye | goodbye | good bye | bye bye | see you | see you later | good night | i am done |
        that is all | we are done | nothing else | no that is all | no nothing else |
        that will be all | that is it | that is everything | thanks that is all |
        thank you that is all | thank you goodbye | thanks bye | no that is it |
        no that is everything | no thanks that is all | thank you bye | nothing | no bye |
        no thank you that is all | i am good | no i am good | no thanks bye | ok bye | have a nice day
    """),
    Act.HELP: _phrases("""
        help | help me | what else can you do | what else can i say | what can you help me with |
        i need help | what can you do | who are you | what do you do | what can i say |
        how does this work | can you help me | what are you | what is this | how do you work |
        what can you do for me | what can i do | what can i do here | what are my options |
        what can i ask
    """),
    Act.REPEAT: _phrases("""
        what | what was that | what was that again | what did you just say | sorry | pardon |
        what did you say | can you repeat that | say that again | repeat that | i did not hear you |
        i did not get that | come again | excuse me | repeat | again | could you repeat |
        could you repeat that | can you say that again | i did not catch that | sorry what | pardon me
    """),
    Act.HELLO: _phrases("""
        hello | hi | hey | hey there | hi there | good morning | good afternoon | good evening |
        hello there | i am still here | still here | i am here | yes i am here | yes i am still here |
        i am back | sorry i am back | yes still here | how are you | are you there | can you hear me |
        hello how are you | hi how are you
    """),
    Act.PAUSE: _phrases("""
        let me think | let me see | give me a second | just a moment | just a second | one moment |
        wait | hold on | one second | let me think about it | hang on | a moment | give me a moment |
        i see | um
    """),
    Act.WHATEVER: _phrases("""
        any time | anytime | whenever | it does not matter | i do not care | i do not know | no idea |
        i am not sure | you choose | you decide | no deadline | does not matter | not sure | whatever |
        no preference | none | surprise me | i have no idea
    """),
}
_BEGINS: Final = ("never mind", "forget about", "forget the", "forget it", "cancel that", "scratch that")
"""A short sentence that begins so cancels as well."""

_CORRECTS: Final = _phrases("""
    no | no way | no way to | not | sorry | wait | actually | i mean | i meant | i said | i say |
    rather | no no | oops | make it | make that | change it to | change that to | change to |
    it should be | that should be | it is | i wanted | i did say | correction | scratch that |
    let us make it | let us make that | better | can you make it | could you make it |
    can we make it | not that | that is wrong | that is not right | i want it | i would rather |
    i would rather do it | let us do | let us do it | let us say | can we say | could we say |
    can we do | my mistake | my bad | the day is | the time is | it should be on | make it that |
    no i said | no i meant | make at | change it | change the time to | change the title to |
    hold on | and | but | oh | um | uh | well | hmm | please
""")
"""What a correction begins with, once or several times."""
_TELLING: Final = (
    frozenset(_CORRECTS)
    - {"let us do", "let us say", "the day is", "the time is"}
    - {"it is", "and", "but", "oh", "um", "uh", "well", "hmm", "please"}
)

_ASKS: Final = _phrases("""
    what | who | where | why | how | which | whose | when is | when do | when did | when will |
    when are | when was | when does | when can | when should | do you | are you | tell me |
    can you tell | is it | is there | does | did you | could you tell | show me | sing | play
""")


def act_of(said: Sequence[str]) -> Act | None:
    """The act of a sentence that does nothing else; None for all others."""
    heard = [word for word in said if word not in _HESITATION] or list(said)
    sentence = " ".join(heard)
    if act := _act(sentence):
        return act
    if len(heard) <= 6 and any(sentence.startswith(begin) for begin in _BEGINS):
        return Act.CANCEL
    if len(heard) <= 4 and heard[-2:] == ["never", "mind"]:
        return Act.CANCEL
    return _mixed(heard) or _SOUNDS.get(sounds(sentence))


def _act(phrase: str) -> Act | None:
    return next((act for act, phrases in _EXACTLY.items() if phrase in phrases), None)


_SOUNDS: Final = {sounds(phrase): act for act, phrases in _EXACTLY.items() for phrase in phrases}
"""The same by ear: "never mined"."""


_WEIGHTIER: Final = (
    Act.CANCEL,
    Act.BYE,
    Act.HELP,
    Act.REPEAT,
    Act.PAUSE,
    Act.THANKS,
    Act.NO,
    Act.YES,
    Act.HELLO,
)


def _mixed(heard: Sequence[str]) -> Act | None:
    """The weightiest of several acts in a row: "thanks, bye", "yes, that's all", "no, never mind"."""
    acts = _acts(tuple(heard))
    return next((act for act in _WEIGHTIER if act in acts), None)


def _acts(heard: tuple[str, ...]) -> frozenset[Act]:
    """The acts a sentence is made of, if it is made of nothing else; at most twelve words are looked at."""
    if len(heard) > 12:
        return frozenset()
    for size in range(min(len(heard), 6), 0, -1):
        first = " ".join(heard[:size])
        if (act := _act(first)) is None:
            continue
        rest = heard[size:]
        if not rest:
            return frozenset([act])
        if more := _acts(rest):
            return more | {act}
    return frozenset()


def corrects(said: Sequence[str]) -> int:
    """How many words at the beginning only say that something is corrected; 0 when nothing is."""
    at, told = 0, False
    while True:
        size, phrase = next(_corrections(said[at : at + 5]), (0, ""))
        if not size:
            return at if told else 0
        told = told or phrase in _TELLING
        at += size


def _corrections(said: Sequence[str]) -> Iterator[tuple[int, str]]:
    """How many words are a phrase of correction, and which; several words may only sound like it."""
    for size in range(len(said), 0, -1):
        heard = " ".join(said[:size])
        if heard in _CORRECTS:
            yield size, heard
        elif size > 1 and (phrase := _CORRECT_SOUNDS.get(sounds(heard).replace("d", "t"))):
            yield size, phrase


_CORRECT_SOUNDS: Final = {sounds(phrase).replace("d", "t"): phrase for phrase in _CORRECTS}
"""Phrases of correction by ear, d and t alike: "know eye said", "i mend"."""


def asks(said: Sequence[str]) -> bool:
    """It is a question or an order to entertain, not a statement."""
    heard = [word for word in said if word not in _HESITATION]
    return any(tuple(heard[: len(begin.split())]) == tuple(begin.split()) for begin in _ASKS)
