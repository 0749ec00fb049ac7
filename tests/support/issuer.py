"""An issuer of JSON Web Tokens with a real key set behind a real server on loopback."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tests.support.serving import serving

ISSUER = "https://login.example.com/"
AUDIENCE = "voice-bridge"
Key = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey
MAKE: dict[str, Callable[[], Key]] = {
    "RS256": lambda: rsa.generate_private_key(public_exponent=65537, key_size=2048),
    "ES256": lambda: ec.generate_private_key(ec.SECP256R1()),
    "EdDSA": ed25519.Ed25519PrivateKey.generate,
}


class Issuer:
    """Its keys, what it says of them, and how often it was asked."""

    def __init__(self) -> None:
        self.keys: dict[str, tuple[str, Key]] = {}
        """Key id → its algorithm and the key, newest last."""
        self.published: list[dict[str, Any]] = []
        """The key set."""
        self.status = 200
        self.asked = 0
        self.url = ""
        self.rotate("first")

    def rotate(self, key_id: str, algorithm: str = "ES256") -> None:
        """Sign with a new key from now on; the set has no other."""
        key = MAKE[algorithm]()
        self.keys[key_id] = (algorithm, key)
        self.published = [public(key) | {"kid": key_id, "alg": algorithm, "use": "sig"}]

    def token(self, user_id: str = "ada", *, header: dict[str, Any] | None = None, **claims: Any) -> str:
        """A token for an hour; a claim or header that is None is left out."""
        key_id, (algorithm, key) = list(self.keys.items())[-1]
        now = time.time()
        usual = {"iss": ISSUER, "aud": AUDIENCE, "sub": user_id, "iat": now, "exp": now + 3600}
        payload = {name: value for name, value in (usual | claims).items() if value is not None}
        headers = {name: value for name, value in ({"kid": key_id} | (header or {})).items() if value}
        return jwt.encode(payload, key, algorithm, headers=headers)

    @property
    def variables(self) -> dict[str, str]:
        """With these a server takes its tokens."""
        return {
            "BRIDGE_AUTH": "jwt",
            "BRIDGE_JWT_ISSUER": ISSUER,
            "BRIDGE_JWT_AUDIENCE": AUDIENCE,
            "BRIDGE_JWT_JWKS_URL": self.url,
        }

    @property
    def public_pem(self) -> bytes:
        """Of the newest key, as anybody can write it."""
        _, key = list(self.keys.values())[-1]
        return key.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )

    async def answer(self, request: Request) -> Response:
        self.asked += 1
        return Response(json.dumps({"keys": self.published}), self.status, media_type="application/json")


def public(key: Key) -> dict[str, Any]:
    """The public half as a JSON Web Key."""
    match key:
        case rsa.RSAPrivateKey():
            return RSAAlgorithm.to_jwk(key.public_key(), as_dict=True)
        case ec.EllipticCurvePrivateKey():
            return ECAlgorithm.to_jwk(key.public_key(), as_dict=True)
        case _:
            return OKPAlgorithm.to_jwk(key.public_key(), as_dict=True)


@asynccontextmanager
async def issuing() -> AsyncIterator[Issuer]:
    """An issuer whose key set is served while the block lasts."""
    issuer = Issuer()
    async with serving(Starlette(routes=[Route("/keys", issuer.answer)])) as address:
        issuer.url = f"http://{address}/keys"
        yield issuer
