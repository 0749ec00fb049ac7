"""A request to a relay, with as little work as can be."""

from __future__ import annotations

import asyncio


async def ask(address: str, method: str, path: str, body: bytes = b"") -> bytes:
    """The body of the answer. `address`: host:port. Raises ConnectionError when it is not 2xx."""
    reader, writer = await asyncio.open_connection(*address.split(":"))
    try:
        writer.write(
            f"{method} {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n".encode()
            + body
        )
        head, _, answer = (await reader.read(-1)).partition(b"\r\n\r\n")
    finally:
        writer.close()
    if not head.startswith(b"HTTP/1.1 2"):
        raise ConnectionError(f"{method} {path}: {head.decode('latin-1')}")
    return answer
