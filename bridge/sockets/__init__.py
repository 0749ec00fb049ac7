"""WebSockets as both ends of the bridge use them: which messages came, and how it ended."""

from bridge.sockets.closed import GONE, Closed, Limits, TakeMessage

__all__ = ["GONE", "Closed", "Limits", "TakeMessage"]
