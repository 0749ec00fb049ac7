"""What a session needs from outside. Leaves implement these; `app.py` puts them together."""

from bridge.ports.accounts import (
    Account,
    Accounts,
    Authenticator,
    Hold,
    PinDesk,
    Principal,
    Release,
    SignIn,
)
from bridge.ports.credit import Credit
from bridge.ports.ends import Brief, Direct, References, Take, Transport, Upstream, Upstreams
from bridge.ports.intents import Handle, Intents, Job, Ledger, Planner, SpokenTime, TimeGrammar, Transaction
from bridge.ports.record import Claim, Journal, Page, Rate, RateReached, Store, Ticket
from bridge.ports.watching import Feed, Happening, Observer, SessionFacts, SoundPassed

__all__ = [
    "Account",
    "Accounts",
    "Authenticator",
    "Brief",
    "Claim",
    "Credit",
    "Direct",
    "Feed",
    "Handle",
    "Happening",
    "Hold",
    "Intents",
    "Job",
    "Journal",
    "Ledger",
    "Observer",
    "Page",
    "PinDesk",
    "Planner",
    "Principal",
    "Rate",
    "RateReached",
    "References",
    "Release",
    "SessionFacts",
    "SignIn",
    "SoundPassed",
    "SpokenTime",
    "Store",
    "Take",
    "Ticket",
    "TimeGrammar",
    "Transaction",
    "Transport",
    "Upstream",
    "Upstreams",
]
