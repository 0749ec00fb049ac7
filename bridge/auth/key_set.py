"""The public keys of whoever issues JSON Web Tokens (RFC 7517): fetched, kept, and fetched anew."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Collection, Mapping

import httpx2
import orjson
import structlog
from jwt import PyJWK
from jwt.exceptions import PyJWTError

from bridge.errors import Unauthenticated, Unavailable

log = structlog.get_logger(__name__)

FRESH_SECONDS = 600.0
"""A key that was taken out of the set is believed for so long at most, while the set can be reached."""
KEEP_SECONDS = 24 * 3600.0
"""How long keys are believed while the set cannot be reached."""
PAUSE_SECONDS = 10.0
"""Between two fetches: tokens with made-up key ids do not make us hammer the issuer."""
FETCH_SECONDS = 5.0
MAX_BYTES = 256 * 1024
"""Of the set."""


class KeySet:
    """Key id → key. Those of other algorithms than ours, or not for signatures, are left out."""

    def __init__(
        self,
        url: str,
        algorithms: Collection[str],
        client: httpx2.AsyncClient,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._url = url
        self._algorithms = frozenset(algorithms)
        self._client = client
        self._clock = clock
        self._keys: Mapping[str | None, PyJWK] = {}
        self._fetched = self._tried = float("-inf")
        self._fetching = asyncio.Lock()

    async def key(self, key_id: str | None) -> PyJWK:
        """The key by that id; without one, the only key there is.

        Raises Unauthenticated when there is none, Unavailable while no keys are known.
        """
        if self._age() > FRESH_SECONDS or self._find(key_id) is None:
            await self._refresh(key_id)
        if self._age() > KEEP_SECONDS:
            raise Unavailable("Who you are cannot be checked just now.", retry_after=PAUSE_SECONDS)
        if (found := self._find(key_id)) is None:
            raise Unauthenticated("That token is signed with an unknown key.")
        return found

    def _age(self) -> float:
        return self._clock() - self._fetched

    def _find(self, key_id: str | None) -> PyJWK | None:
        if key_id is None:
            return next(iter(self._keys.values())) if len(self._keys) == 1 else None
        return self._keys.get(key_id)

    async def _refresh(self, key_id: str | None) -> None:
        """Fetch the set, unless that was tried just now. Who comes meanwhile waits for the same fetch."""
        async with self._fetching:
            fresh = self._age() <= FRESH_SECONDS and self._find(key_id) is not None
            if fresh or self._clock() - self._tried < PAUSE_SECONDS:
                return
            self._tried = self._clock()
            try:
                async with asyncio.timeout(FETCH_SECONDS):
                    self._keys = self._read(await self._fetch())
            except (httpx2.HTTPError, TimeoutError, ValueError) as error:
                log.warning("key_set_unreachable", error=type(error).__name__)
            else:
                self._fetched = self._clock()

    async def _fetch(self) -> bytes:
        body = bytearray()
        async with self._client.stream("GET", self._url) as response:
            response.raise_for_status()
            async for part in response.aiter_bytes():
                body += part
                if len(body) > MAX_BYTES:
                    raise ValueError("the key set is too large")
        return bytes(body)

    def _read(self, body: bytes) -> Mapping[str | None, PyJWK]:
        """Raises ValueError for what is no set with keys of ours."""
        match orjson.loads(body):
            case {"keys": list(listed)}:
                keys = {one.key_id: one for each in listed if (one := self._usable(each))}
            case _:
                raise ValueError("not a key set")
        if not keys:
            raise ValueError("no usable key")
        return keys

    def _usable(self, listed: object) -> PyJWK | None:
        """None: a key of a kind we do not take, or broken; the others are still good."""
        if not isinstance(listed, dict) or listed.get("kty") == "oct":
            return None
        try:
            key = PyJWK.from_dict(listed)
        except (PyJWTError, ValueError, TypeError):
            return None
        for_signatures = key.public_key_use in (None, "sig")
        return key if for_signatures and key.algorithm_name in self._algorithms else None
