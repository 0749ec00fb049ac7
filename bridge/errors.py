"""Every error we raise. Each class has a stable `code` and says whether trying again can help (`retry`).

    BridgeError
    ├── BadConfig            a setting or an agent's file is wrong; names file and line
    ├── BadMessage           a peer sent something that cannot be read
    ├── PeerGone             the other end of a socket is gone, or too slow
    ├── Refused              a request is turned away; has an HTTP status
    │   ├── BadRequest           422, or another 4xx: its body, query or headers are wrong
    │   ├── Unauthenticated      401
    │   ├── Forbidden            403
    │   ├── NotFound             404: not there, or somebody else's
    │   ├── TooMany              429, retry_after
    │   └── Unavailable          503, retry_after: draining, or the store is away
    ├── UpstreamFailed       the agent's end could not be opened
    ├── StoreUnavailable     the database cannot be reached
    ├── JournalFailed        an entry could not be made durable
    └── LedgerError          a function call may not run
        ├── StaleEpoch           somebody newer owns the conversation
        └── CallMismatch         the same call id with other arguments

Foreign exceptions are mapped to these once, at the edge; their text goes to no client.
"""

from __future__ import annotations


class BridgeError(Exception):
    """The root. `str(error)` is for operators; `description` may be shown to a client."""

    code = "BRIDGE_INTERNAL"
    retry = False

    def __init__(self, description: str = "", *, code: str | None = None) -> None:
        super().__init__(description)
        self.description = description
        if code is not None:
            self.code = code


class BadConfig(BridgeError):
    """A setting or an agent's file is wrong. The text begins with `file:line:` where there is one."""

    code = "BRIDGE_BAD_CONFIG"


class BadMessage(BridgeError):
    """A peer sent something that cannot be read."""

    code = "UNPARSABLE_CLIENT_MESSAGE"


class PeerGone(BridgeError):
    """The other end of a socket is gone, or did not take a frame in time."""

    code = "BRIDGE_PEER_GONE"
    retry = True


class Refused(BridgeError):
    """A request is turned away before anything happened."""

    code = "BRIDGE_REFUSED"
    status = 400

    def __init__(
        self,
        description: str = "",
        *,
        code: str | None = None,
        retry_after: float | None = None,
        reason: str = "",
    ) -> None:
        super().__init__(description, code=code)
        self.retry_after = retry_after
        """Seconds, when waiting helps."""
        self.reason = reason
        """Which limit it was, for metrics; empty: it is not counted."""


class BadRequest(Refused):
    """The body, the query or a header of a request is wrong."""

    code = "BRIDGE_BAD_REQUEST"

    def __init__(self, description: str, *, status: int = 422) -> None:
        super().__init__(description)
        self.status = status


class Unauthenticated(Refused):
    """No credentials, or wrong ones."""

    code = "BRIDGE_UNAUTHENTICATED"
    status = 401


class Forbidden(Refused):
    """Known, but not allowed: a foreign Origin, for example."""

    code = "BRIDGE_FORBIDDEN"
    status = 403


class NotFound(Refused):
    """Not there, or somebody else's: the two cannot be told apart."""

    code = "BRIDGE_NOT_FOUND"
    status = 404


class TooMany(Refused):
    """A limit per user is reached."""

    code = "BRIDGE_QUOTA"
    retry = True
    status = 429


class Unavailable(Refused):
    """Not now: the server drains, or the store is away."""

    code = "BRIDGE_UNAVAILABLE"
    retry = True
    status = 503


class UpstreamFailed(BridgeError):
    """The agent's end could not be opened. `retry` is set per case."""

    code = "BRIDGE_UPSTREAM_FAILED"

    def __init__(self, description: str = "", *, retry: bool, code: str | None = None) -> None:
        super().__init__(description, code=code)
        self.retry = retry


class UpstreamBusy(UpstreamFailed):
    """The agent's end has no room for another session now."""

    code = "BRIDGE_UPSTREAM_BUSY"

    def __init__(self, description: str = "") -> None:
        super().__init__(description, retry=True)


class StoreUnavailable(BridgeError):
    """The database cannot be reached, or did not answer in time."""

    code = "BRIDGE_STORE_UNAVAILABLE"
    retry = True


class JournalFailed(BridgeError):
    """An entry could not be made durable: disk full, quota reached, file gone."""

    code = "BRIDGE_JOURNAL_FAILED"


class LedgerError(BridgeError):
    """A function call may not run."""

    code = "BRIDGE_CALL_REFUSED"


class StaleEpoch(LedgerError):
    """Somebody newer owns the conversation; this owner may no longer act."""

    code = "BRIDGE_TAKEN_OVER"


class CallMismatch(LedgerError):
    """The same call id came again with other arguments."""

    code = "BRIDGE_CALL_MISMATCH"
