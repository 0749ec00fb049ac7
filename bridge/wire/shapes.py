"""What the types of the messages on the wire have in common."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import ConfigDict, Field, with_config

described = with_config(ConfigDict(use_attribute_docstrings=True))
"""The strings after the fields of a TypedDict are their descriptions in its schema."""

Object = dict[str, Any]
"""A JSON object that is passed on as it is."""

CursorText = Annotated[str, Field(pattern=r"^[0-9]+:[0-9]+$", max_length=30, examples=["3:14"])]
"""`epoch:idx`."""

Instant = Annotated[str, Field(json_schema_extra={"format": "date-time"})]
"""ISO 8601, UTC, milliseconds."""
