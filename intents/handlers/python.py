"""Finds the coroutine function a handler names: one of the planner's, or anybody's by its Python path."""

from __future__ import annotations

import importlib
import inspect
from typing import cast

from bridge.errors import BadConfig
from intents.handlers import Handler, planner


def find(handler: str) -> Handler:
    """The function of `planner.name` or `python:package.module:function`. Raises BadConfig."""
    kind, _, path = handler.partition(":")
    if kind == "python":
        return _load(path)
    found = planner.HANDLERS.get(handler)
    if found is None:
        known = ", ".join(planner.HANDLERS)
        raise BadConfig(f"there is no handler {handler}: use {known}, http:URL or python:module:function")
    return found


def _load(path: str) -> Handler:
    module_name, _, name = path.partition(":")
    if not module_name or not name:
        raise BadConfig(f"python:{path} is not of the form python:package.module:function")
    try:
        module = importlib.import_module(module_name)
    except Exception as error:
        raise BadConfig(f"{module_name} cannot be imported: {type(error).__name__}: {error}") from error
    function = getattr(module, name, None)
    if not inspect.iscoroutinefunction(function):
        raise BadConfig(f"{module_name} has no async function {name}")
    parameters = inspect.signature(function).parameters.values()
    if len([p for p in parameters if p.default is p.empty]) != 3:
        raise BadConfig(f"{module_name}.{name} does not take (transaction, job, arguments)")
    return cast(Handler, function)
