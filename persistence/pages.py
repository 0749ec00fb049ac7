"""Opaque page tokens: the last row's sort key, so that a growing list repeats and skips nothing."""

from __future__ import annotations

import base64
import binascii
from datetime import datetime

import orjson

from bridge.errors import Refused


def token(at: datetime, key: str) -> str:
    """The token for what comes after the row (at, key)."""
    return base64.urlsafe_b64encode(orjson.dumps([at.isoformat(), key])).decode().rstrip("=")


def position(text: str) -> tuple[datetime, str]:
    """(at, key) of a token. Raises Refused when it is none of ours."""
    try:
        at, key = orjson.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        when = datetime.fromisoformat(at)
        if when.tzinfo is None or not isinstance(key, str):
            raise ValueError("not what we write")
    except (ValueError, TypeError, binascii.Error):
        raise Refused("that page token is not one of ours", code="BRIDGE_BAD_PAGE") from None
    return when, key
