"""Tokens of an issuer: which are believed, and how its keys are followed."""

import base64
import hashlib
import hmac
import json
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx2
import jwt
import pytest

from bridge.auth.choice import check_access
from bridge.auth.key_set import FRESH_SECONDS, KEEP_SECONDS, PAUSE_SECONDS, KeySet
from bridge.auth.web_token import WebToken
from bridge.errors import BadConfig, Unauthenticated, Unavailable
from bridge.settings import Settings
from persistence.accounts import Accounts
from persistence.record import open_record
from tests.support.issuer import AUDIENCE, ISSUER, Issuer, issuing

ALGORITHMS = ("RS256", "ES256", "EdDSA")


class Clock:
    """Time that goes when it is told to."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
async def issuer() -> AsyncIterator[Issuer]:
    async with issuing() as issuer:
        yield issuer


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def accounts(tmp_path: Path) -> AsyncIterator[Accounts]:
    async with open_record(f"sqlite:///{tmp_path}/store.db", tmp_path / "data") as record:
        yield Accounts(record.database)


@pytest.fixture
async def door(issuer: Issuer, clock: Clock, accounts: Accounts) -> AsyncIterator[WebToken]:
    async with httpx2.AsyncClient(trust_env=False) as client:
        yield WebToken(
            keys=KeySet(issuer.url, ALGORITHMS, client, clock),
            accounts=accounts,
            issuer=ISSUER,
            audience=AUDIENCE,
            algorithms=ALGORITHMS,
            user_claim="sub",
            leeway_seconds=30,
        )


async def who(door: WebToken, token: str | None) -> str:
    return (await door({}, token)).user_id


def part(content: dict[str, Any] | bytes) -> str:
    raw = content if isinstance(content, bytes) else json.dumps(content).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


@pytest.mark.parametrize("algorithm", ALGORITHMS)
async def test_a_token_says_who_it_is(door: WebToken, issuer: Issuer, algorithm: str) -> None:
    issuer.rotate("another", algorithm)
    assert await who(door, issuer.token("ada")) == "ada"
    assert await who(door, issuer.token("auth0|5f7c", aud=["other", AUDIENCE])) == "auth0|5f7c"
    assert issuer.asked == 1


@pytest.mark.parametrize("past", [-20, 0, 29])
async def test_clocks_may_differ_a_little(door: WebToken, issuer: Issuer, past: float) -> None:
    assert await who(door, issuer.token(exp=time.time() - past)) == "ada"
    assert await who(door, issuer.token(nbf=time.time() + past, iat=time.time() + past)) == "ada"


async def test_one_whose_time_is_over_says_nothing(door: WebToken, issuer: Issuer) -> None:
    with pytest.raises(Unauthenticated, match="expired"):
        await who(door, issuer.token(exp=time.time() - 31))


@pytest.mark.parametrize(
    "claims",
    [
        {"aud": "somebody-else"},
        {"iss": "https://login.example.com"},
        {"iss": "https://evil.example/"},
        {"exp": "never"},
        {"nbf": time.time() + 3600},
        {"sub": ""},
        {"sub": "a\nb"},
        {"sub": "a" * 256},
    ],
)
async def test_a_claim_that_is_wrong(door: WebToken, issuer: Issuer, claims: dict[str, Any]) -> None:
    with pytest.raises(Unauthenticated, match="not valid"):
        await who(door, issuer.token(**claims))


@pytest.mark.parametrize("claim", ["aud", "iss", "exp", "sub", "iat"])
async def test_a_claim_that_is_not_there_is_named(door: WebToken, issuer: Issuer, claim: str) -> None:
    without: dict[str, Any] = {claim: None}
    with pytest.raises(Unauthenticated, match=f"lacks the claim `{claim}`"):
        await who(door, issuer.token(**without))


@pytest.mark.parametrize("credential", [None, "", "x", "a.b.c", "a Deepgram key", "." * 50, "é.é.é"])
async def test_what_is_no_token_costs_no_fetch(
    door: WebToken, issuer: Issuer, credential: str | None
) -> None:
    with pytest.raises(Unauthenticated):
        await who(door, credential)
    assert issuer.asked == 0


async def test_a_signature_of_another_key_does_not_count(door: WebToken, issuer: Issuer) -> None:
    await who(door, issuer.token())
    liar = Issuer()
    with pytest.raises(Unauthenticated, match="not valid"):
        await who(door, liar.token())


async def test_a_changed_token_does_not_count(door: WebToken, issuer: Issuer) -> None:
    header, _, signature = issuer.token("ada").split(".")
    _, claims, _ = issuer.token("root").split(".")
    with pytest.raises(Unauthenticated, match="not valid"):
        await who(door, f"{header}.{claims}.{signature}")


async def test_the_token_does_not_choose_the_algorithm(door: WebToken, issuer: Issuer) -> None:
    """No signature at all; a MAC whose secret is the public key; an algorithm of another key."""
    await who(door, issuer.token())
    claims = part(jwt.decode(issuer.token("root"), options={"verify_signature": False}))
    for algorithm, digest in (("none", None), ("None", None), ("HS256", hashlib.sha256)):
        head = part({"alg": algorithm, "typ": "JWT", "kid": "first"})
        signed = f"{head}.{claims}".encode()
        signature = hmac.new(issuer.public_pem, signed, digest).digest() if digest else b""
        with pytest.raises(Unauthenticated, match="not valid"):
            await who(door, f"{head}.{claims}.{part(signature)}")
    _, claims, signature_of_another = issuer.token("root").split(".")
    head = part({"alg": "RS256", "typ": "JWT", "kid": "first"})
    with pytest.raises(Unauthenticated, match="not valid"):
        await who(door, f"{head}.{claims}.{signature_of_another}")


async def test_a_published_secret_is_no_key(door: WebToken, issuer: Issuer) -> None:
    secret = b"s" * 32
    issuer.published.append({"kty": "oct", "k": part(secret), "kid": "shared", "alg": "HS256"})
    issuer.published.append({"kty": "oct", "k": part(secret), "kid": "sly", "alg": "ES256"})
    issuer.published.append({"kty": "RSA", "kid": "broken"})
    claims = part(jwt.decode(issuer.token("root"), options={"verify_signature": False}))
    for key_id, algorithm in (("shared", "HS256"), ("shared", "ES256"), ("sly", "ES256")):
        head = part({"alg": algorithm, "typ": "JWT", "kid": key_id})
        signature = hmac.new(secret, f"{head}.{claims}".encode(), hashlib.sha256).digest()
        with pytest.raises(Unauthenticated):
            await who(door, f"{head}.{claims}.{part(signature)}")
    assert await who(door, issuer.token()) == "ada"


async def test_a_key_for_encryption_is_none_for_signatures(door: WebToken, issuer: Issuer) -> None:
    token = issuer.token()
    issuer.published[0]["use"] = "enc"
    with pytest.raises(Unavailable):
        await who(door, token)


# ── the keys change ─────────────────────────────────────────────────────────────────────────


async def test_a_new_key_is_found_and_a_made_up_one_looked_for_once(
    door: WebToken, issuer: Issuer, clock: Clock
) -> None:
    await who(door, issuer.token())
    clock.seconds += PAUSE_SECONDS
    issuer.rotate("second")
    assert await who(door, issuer.token()) == "ada"
    assert issuer.asked == 2
    for n in range(20):
        with pytest.raises(Unauthenticated, match="unknown key"):
            await who(door, issuer.token(header={"kid": f"made-up-{n}"}))
    assert issuer.asked == 2
    clock.seconds += PAUSE_SECONDS
    with pytest.raises(Unauthenticated, match="unknown key"):
        await who(door, issuer.token(header={"kid": "made-up"}))
    assert issuer.asked == 3


async def test_a_key_that_was_taken_back_counts_for_ten_minutes(
    door: WebToken, issuer: Issuer, clock: Clock
) -> None:
    old = issuer.token()
    await who(door, old)
    issuer.rotate("second")
    clock.seconds += FRESH_SECONDS
    assert await who(door, old) == "ada"
    clock.seconds += 1
    with pytest.raises(Unauthenticated, match="unknown key"):
        await who(door, old)


@pytest.mark.parametrize(("status", "published"), [(500, None), (200, []), (302, None)])
async def test_while_the_set_is_away_the_known_keys_count_for_a_day(
    door: WebToken, issuer: Issuer, clock: Clock, status: int, published: list[dict[str, Any]] | None
) -> None:
    token = issuer.token()
    await who(door, token)
    issuer.status, issuer.published = status, issuer.published if published is None else published
    clock.seconds += KEEP_SECONDS
    assert await who(door, token) == "ada"
    clock.seconds += 1
    with pytest.raises(Unavailable):
        await who(door, token)


async def test_a_server_that_never_had_keys_says_that_it_cannot_tell(
    door: WebToken, issuer: Issuer, clock: Clock
) -> None:
    issuer.status = 503
    for _ in range(5):
        with pytest.raises(Unavailable):
            await who(door, issuer.token())
    assert issuer.asked == 1
    issuer.status = 200
    clock.seconds += PAUSE_SECONDS
    assert await who(door, issuer.token()) == "ada"


async def test_without_a_key_id_the_only_key_is_meant(door: WebToken, issuer: Issuer) -> None:
    assert await who(door, issuer.token(header={"kid": None})) == "ada"


async def test_a_token_that_was_taken_back_is_not_believed_however_its_signature_is_written(
    door: WebToken, issuer: Issuer, accounts: Accounts
) -> None:
    token, other = issuer.token("ada"), issuer.token("ada", jti="another")
    taken = (await door({}, token)).sign_in
    assert taken
    await accounts.revoke(taken, everywhere=False)
    last = token[-1]
    for ending in (last, last + "=", last + "==", last + "!"):
        with pytest.raises(Unauthenticated):
            await door({}, token[:-1] + ending)
    assert await who(door, other) == "ada"


async def test_after_signing_out_everywhere_only_newer_tokens_are_believed(
    door: WebToken, issuer: Issuer, accounts: Accounts
) -> None:
    before = (await door({}, issuer.token("ada"))).sign_in
    assert before
    await accounts.revoke(before, everywhere=True)
    with pytest.raises(Unauthenticated, match="ended"):
        await door({}, issuer.token("ada", iat=time.time() - 5))
    assert await who(door, issuer.token("ada", iat=time.time() + 1)) == "ada"
    assert await who(door, issuer.token("bob")) == "bob"


@pytest.mark.parametrize("exp", [2**40, 2**62, 10.0**300])
async def test_a_token_for_ever_is_good(door: WebToken, issuer: Issuer, exp: float) -> None:
    found = await door({}, issuer.token("ada", exp=exp))
    assert found.sign_in
    assert found.sign_in.expires_at.year > 2100


# ── settings ────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"jwt_issuer": ""}, "BRIDGE_JWT_ISSUER"),
        ({"jwt_audience": ""}, "BRIDGE_JWT_AUDIENCE"),
        ({"jwt_jwks_url": ""}, "BRIDGE_JWT_JWKS_URL"),
        ({"jwt_jwks_url": "http://login.example.com/keys"}, "https://"),
        ({"jwt_jwks_url": "file:///etc/passwd"}, "https://"),
        ({"jwt_jwks_url": "https://"}, "https://"),
    ],
)
def test_what_is_missing_is_named(change: dict[str, str], says: str) -> None:
    good = {"jwt_issuer": ISSUER, "jwt_audience": AUDIENCE, "jwt_jwks_url": "https://login.example.com/keys"}
    check_access(Settings(auth="jwt", **good))  # type: ignore[arg-type]
    with pytest.raises(BadConfig, match=says):
        check_access(Settings(auth="jwt", **{**good, **change}))  # type: ignore[arg-type]


@pytest.mark.parametrize("algorithm", ["none", "HS256", "HS512", "rs256"])
def test_only_public_keys_may_be_chosen(algorithm: str) -> None:
    with pytest.raises(ValueError, match="jwt_algorithms"):
        Settings(jwt_algorithms=(algorithm,))  # type: ignore[arg-type]
