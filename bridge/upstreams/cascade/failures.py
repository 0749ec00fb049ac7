"""What happens when a part fails: the session learns which, and ends politely instead of hanging."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from bridge.errors import BridgeError


@dataclass(frozen=True, slots=True)
class Stage:
    """A stage of the cascade, as its failure is told."""

    code: str
    """Deepgram's."""
    description: str


HEAR: Final = Stage("ASR_CONNECTION_CLOSED", "The agent cannot hear any more.")
THINK: Final = Stage("FAILED_TO_THINK", "The agent cannot think any more.")
SPEAK: Final = Stage("FAILED_TO_SPEAK", "The agent cannot speak any more.")


class PartFailed(BridgeError):
    """A part raised, or did not answer in time. The cause is chained."""

    def __init__(self, stage: Stage) -> None:
        super().__init__(stage.description, code=stage.code)


@contextmanager
def failing(stage: Stage) -> Iterator[None]:
    """Whatever is raised inside is a failure of that stage. Cancellation is not."""
    try:
        yield
    except PartFailed:
        raise
    except Exception as error:
        raise PartFailed(stage) from error


def first_failure(error: BaseException) -> PartFailed | None:
    """The failed part in an error or a group of them."""
    if isinstance(error, BaseExceptionGroup):
        found = (first_failure(inner) for inner in error.exceptions)
        return next((failure for failure in found if failure), None)
    return error if isinstance(error, PartFailed) else None
