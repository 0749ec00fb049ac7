"""How our own little servers say where they are. Needs nothing, so that it runs in any environment."""

from __future__ import annotations

import socket


def listen() -> socket.socket:
    """Listen on a free loopback port and print "listening on host:port"."""
    listening = socket.socket()
    listening.bind(("127.0.0.1", 0))
    listening.listen(4096)
    host, port = listening.getsockname()
    print(f"listening on {host}:{port}", flush=True)
    return listening
