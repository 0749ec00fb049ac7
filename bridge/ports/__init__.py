"""What a session needs from outside. Leaves implement these; `app.py` puts them together."""

from bridge.ports.ends import Brief, Direct, References, Take, Transport, Upstream, Upstreams
from bridge.ports.intents import Handle, Intents, Job, Ledger, Planner, SpokenTime, TimeGrammar, Transaction
from bridge.ports.record import Claim, Journal, Page, Store
from bridge.ports.watching import Authenticator, Feed, Observer, Principal, SessionFacts

__all__ = [
    "Authenticator",
    "Brief",
    "Claim",
    "Direct",
    "Feed",
    "Handle",
    "Intents",
    "Job",
    "Journal",
    "Ledger",
    "Observer",
    "Page",
    "Planner",
    "Principal",
    "References",
    "SessionFacts",
    "SpokenTime",
    "Store",
    "Take",
    "TimeGrammar",
    "Transaction",
    "Transport",
    "Upstream",
    "Upstreams",
]
