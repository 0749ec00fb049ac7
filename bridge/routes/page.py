"""The page: static files, with headers that let it load nothing but itself."""

from __future__ import annotations

from pathlib import Path

from starlette.exceptions import HTTPException
from starlette.middleware.gzip import GZipMiddleware
from starlette.responses import Response
from starlette.routing import Match, Mount
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
        "manifest-src 'self'; worker-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none';"
        " require-trusted-types-for 'script'; trusted-types voice-bridge"
    ),
    "Permissions-Policy": "microphone=(self), screen-wake-lock=(self), camera=(), geolocation=(), payment=()",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-cache",
}
QUICK = 5
"""Of zlib: at most a millisecond a file."""
SERVED = {".html", ".css", ".js", ".svg", ".png", ".webmanifest"}


class Page(StaticFiles):
    """The files of web/ that a browser needs, and no others."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        if path != "." and Path(path).suffix not in SERVED:
            raise HTTPException(404)
        response = await super().get_response(path, scope)
        response.headers.update(HEADERS)
        return response


class OutsideApi(Mount):
    """Leaves addresses of the interface alone, so that a wrong method there is told as one."""

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        ours = scope["type"] == "http" and scope["method"] in ("GET", "HEAD")
        if not ours or scope["path"].removeprefix(scope.get("root_path", "")).startswith("/api/"):
            return Match.NONE, {}
        return super().matches(scope)


def page_routes(folder: Path) -> list[Mount]:
    """The page at `/`. To be the last of all routes."""
    return [OutsideApi("/", GZipMiddleware(Page(directory=folder, html=True), compresslevel=QUICK))]
