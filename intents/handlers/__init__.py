"""The code an intent may name as its handler: the planner's, any Python function, a service over HTTP."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from bridge.core.model import Outcome
from bridge.ports import Job, Transaction
from intents.arguments import Arguments
from intents.outcomes import Tentative

Handler = Callable[[Transaction, Job, Arguments], Awaitable[Outcome | Tentative | str]]
"""What runs an intent inside the transaction. A string is the sentence of an outcome that is done.

It may return an Outcome that is not DONE: then all that it wrote is rolled back. A destructive
one is run before the user is asked as well, and rolled back; a Tentative says what to ask. It must not block,
call out or commit; it is cancelled when the intent's time is up.
"""
