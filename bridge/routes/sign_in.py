"""`/api/v1/sign-in` and `/api/v1/sign-out`: a name and a PIN for a cookie, or for the token of an app."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bridge.errors import NotFound, Unauthenticated
from bridge.ports import Accounts, PinDesk
from bridge.routes.answers import answer, nothing
from bridge.routes.identity import Identity
from bridge.routes.openapi import Api
from bridge.routes.requests import read_body
from bridge.routes.shapes import SignedIn, SignInState, SignInWish, SignOutWish
from bridge.wire import instant

Method = Literal["none", "pin", "jwt"]


def sign_in_routes(api: Api, door: Door) -> list[Route]:
    base = "/api/v1"
    return [
        api.route(
            "GET", f"{base}/sign-in", door.state, name="sign_in_state", answers=SignInState, public=True
        ),
        api.route(
            "POST",
            f"{base}/sign-in",
            door.sign_in,
            name="sign_in",
            body=SignInWish,
            answers=SignedIn,
            public=True,
        ),
        api.route(
            "POST",
            f"{base}/sign-out",
            door.sign_out,
            name="sign_out",
            body=SignOutWish,
            answers=None,
            status=204,
        ),
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class Door:
    """The endpoints."""

    identity: Identity
    accounts: Accounts
    desk: PinDesk | None
    """None: nobody comes in by PIN."""
    method: Method
    elsewhere: str
    """Where people sign in otherwise; empty: not known."""
    now: Callable[[], datetime]

    async def state(self, request: Request) -> Response:
        """How people sign in here, and who has; for everybody."""
        try:
            user_id: str | None = (await self.identity.get_current_user(request)).user_id
        except Unauthenticated:
            user_id = None
        return answer({"method": self.method, "user_id": user_id, "sign_in_url": self.elsewhere or None})

    async def sign_in(self, request: Request) -> Response:
        """Sign in with a name and a PIN.

        A browser gets a cookie, which the page cannot read; with `keep: token` there is a token instead, to
        be sent as `Authorization: Bearer …`. After five wrong PINs each try has to wait, longer each time.
        """
        self.identity.check_origin(request)
        if self.desk is None:
            raise NotFound("Nobody signs in with a PIN here.")
        wish = await read_body(request, SignInWish)
        credential, made = await self.desk.sign_in(
            wish.name, wish.pin.get_secret_value(), self.identity.address(request)
        )
        kept = wish.keep == "cookie"
        response = answer(
            {
                "user_id": made.user_id,
                "expires_at": instant(made.expires_at),
                "token": None if kept else credential,
            }
        )
        if kept:
            lasting = made.expires_at - self.now()
            self._set_cookie(request, response, credential, int(lasting.total_seconds()))
        return response

    async def sign_out(self, request: Request) -> Response:
        """Sign out here or, with `everywhere`, wherever the user is signed in; what is open is closed."""
        user = await self.identity.get_current_user(request)
        wish = await read_body(request, SignOutWish)
        if user.sign_in:
            await self.accounts.revoke(user.sign_in, everywhere=wish.everywhere)
        response = nothing()
        self._set_cookie(request, response, "", 0)
        return response

    def _set_cookie(self, request: Request, response: Response, value: str, seconds: int) -> None:
        response.set_cookie(
            self.identity.cookie(request),
            value,
            max_age=seconds,
            path="/",
            secure=self.identity.is_secure(request),
            httponly=True,
            samesite="strict",
        )
