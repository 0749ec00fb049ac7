"""`BRIDGE_AUTH=jwt`: a JSON Web Token of an issuer tells who is asking (RFC 7519, RFC 8725)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

import jwt
from jwt.exceptions import ExpiredSignatureError, PyJWTError

from bridge.auth.key_set import KeySet
from bridge.errors import Unauthenticated
from bridge.ports import Principal

USER_ID = re.compile(r"[^\x00-\x1f\x7f]{1,255}")
REQUIRED = ("exp", "iss", "aud")


@dataclass(frozen=True, slots=True, kw_only=True)
class WebToken:
    """ports.Authenticator. The algorithm is one of ours, never the token's own choice."""

    keys: KeySet
    issuer: str
    audience: str
    algorithms: tuple[str, ...]
    user_claim: str
    """The claim that says who it is."""
    leeway_seconds: float
    """How far the issuer's clock may be from ours."""

    async def __call__(self, headers: Mapping[str, str], credential: str | None) -> Principal:
        if credential is None:
            raise Unauthenticated("A token is needed.")
        key = await self.keys.key(self._key_id(credential))
        try:
            claims = jwt.decode(
                credential,
                key,
                algorithms=list(self.algorithms),
                issuer=self.issuer,
                audience=self.audience,
                leeway=self.leeway_seconds,
                options={"require": [*REQUIRED, self.user_claim]},
            )
        except ExpiredSignatureError:
            raise Unauthenticated("That token has expired.") from None
        except (PyJWTError, ValueError, TypeError):
            raise _not_valid() from None
        user_id = claims[self.user_claim]
        if not isinstance(user_id, str) or not USER_ID.fullmatch(user_id):
            raise _not_valid()
        return Principal(user_id)

    def _key_id(self, token: str) -> str | None:
        """Looked at before anything is fetched: what cannot be valid costs nothing."""
        try:
            header = jwt.get_unverified_header(token)
        except (PyJWTError, ValueError, TypeError):
            raise _not_valid() from None
        if header.get("alg") not in self.algorithms:
            raise _not_valid()
        key_id: str | None = header.get("kid")
        return key_id


def _not_valid() -> Unauthenticated:
    return Unauthenticated("That token is not valid here.")
