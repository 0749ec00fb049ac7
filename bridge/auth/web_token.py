"""`BRIDGE_AUTH=jwt`: a JSON Web Token of an issuer tells who is asking (RFC 7519, RFC 8725)."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
from jwt.exceptions import ExpiredSignatureError, MissingRequiredClaimError, PyJWTError

from bridge.auth.key_set import KeySet
from bridge.errors import Unauthenticated
from bridge.ports import Accounts, Principal, SignIn

USER_ID = re.compile(r"[^\x00-\x1f\x7f]{1,255}")
BEGINNING = datetime.fromtimestamp(0, UTC)
MAX_SECONDS = 200 * 366 * 86_400.0
REQUIRED = ("exp", "iss", "aud", "iat")
"""RFC 9068, 2.2. Without `iat` nobody knows whether a token is older than a "sign out everywhere"."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WebToken:
    """ports.Authenticator. The algorithm is one of ours, never the token's own choice."""

    keys: KeySet
    accounts: Accounts
    """Whose tokens were taken back, and who is locked."""
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
        except MissingRequiredClaimError as error:
            raise Unauthenticated(f"That token lacks the claim `{error.claim}`.") from None
        except (PyJWTError, ValueError, TypeError):
            raise _not_valid() from None
        user_id = claims[self.user_claim]
        if not isinstance(user_id, str) or not USER_ID.fullmatch(user_id):
            raise _not_valid()
        sign_in = self._sign_in(user_id, credential, claims)
        if not await self.accounts.stands(sign_in):
            raise Unauthenticated("That sign-in has ended.")
        return Principal(user_id, sign_in)

    def _sign_in(self, user_id: str, token: str, claims: Mapping[str, Any]) -> SignIn:
        """Known by what is signed: the same signature may be written in several ways."""
        return SignIn(
            user_id=user_id,
            digest=hashlib.sha256(token.rpartition(".")[0].encode()).hexdigest(),
            issued_at=_instant(float(claims["iat"])),
            expires_at=_instant(float(claims["exp"]) + self.leeway_seconds),
        )

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


def _instant(seconds: float) -> datetime:
    """Since 1970, UTC; what is too far away is as far as can be."""
    return BEGINNING + timedelta(seconds=min(max(seconds, 0.0), MAX_SECONDS))


def _not_valid() -> Unauthenticated:
    return Unauthenticated("That token is not valid here.")
