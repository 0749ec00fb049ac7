"""Every setting: name, default, unit, help. From config/bridge.yaml and the environment, which wins."""

from __future__ import annotations

import os
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

import yaml
from limits import RateLimitItem, parse_many
from pydantic import AfterValidator, AliasChoices, Field, SecretStr, ValidationError, field_validator
from pydantic_settings import (
    BaseSettings,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
    YamlConfigSettingsSource,
)

from bridge.core.personal import Personal
from bridge.errors import BadConfig

ROOT = Path(__file__).resolve().parent.parent
CONFIG = ROOT / "config"
SignatureAlgorithm = Literal[
    "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"
]
PRIVATE_NETWORKS = (
    *("127.0.0.0/8", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"),
    *("::1/128", "fc00::/7"),
)
"""Where a proxy stands that is nobody else's."""
IPvAnyNetwork = IPv4Network | IPv6Network
CONFIG_FILE = "BRIDGE_CONFIG"
"""Environment variable that names another YAML file than config/bridge.yaml."""


def known_zone(name: str) -> str:
    """The name of a time zone, checked. Raises ValueError."""
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:
        raise ValueError("is not an IANA time zone such as Europe/Berlin") from error
    return name


def _bare(name: str) -> AliasChoices:
    """A setting whose variable has no BRIDGE_ in front, because everybody knows it without."""
    return AliasChoices(name.lower(), name)


class Settings(BaseSettings):
    """All settings. Unknown ones are errors."""

    model_config = SettingsConfigDict(
        env_prefix="BRIDGE_", env_nested_delimiter="__", extra="forbid", frozen=True, env_ignore_empty=True
    )

    host: str = Field(
        default="127.0.0.1", validation_alias=_bare("HOST"), description="Address to listen on."
    )
    port: int = Field(
        default=8000, ge=0, le=65535, validation_alias=_bare("PORT"), description="Port; 0 takes a free one."
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", validation_alias=_bare("LOG_LEVEL"), description="The least level that is logged."
    )
    database_url: SecretStr = Field(
        default=SecretStr(""),
        validation_alias=_bare("DATABASE_URL"),
        description="SQLite or PostgreSQL; empty: a SQLite file in the data folder.",
    )
    deepgram_api_key: SecretStr = Field(
        default=SecretStr(""),
        validation_alias=_bare("DEEPGRAM_API_KEY"),
        description="Key of the Deepgram Voice Agent.",
    )
    deepgram_agent_url: str = Field(
        default="wss://agent.deepgram.com/v1/agent/converse",
        validation_alias=_bare("DEEPGRAM_AGENT_URL"),
        description="The agent's WebSocket; another Voice Bridge works too.",
    )
    data_dir: Path = Field(default=Path("data"), description="Folder of the journal and of the SQLite file.")
    agents_dir: Path = Field(default=CONFIG / "agents", description="Folder with one folder per agent.")
    agent: str = Field(default="flux", description="The agent of those who do not ask for one.")
    upstream: Literal["auto", "deepgram", "local"] = Field(
        default="auto",
        description="Who answers. auto: Deepgram when its key or its address is set, else the local agent.",
    )
    auth: Literal["none", "pin", "jwt"] = Field(
        default="none",
        description="How people prove who they are. none: everybody is `user`. pin: by a name and a PIN. "
        "jwt: by a token of an issuer.",
    )
    sign_in_days: float = Field(
        default=30.0,
        gt=0,
        le=366,
        description="How long a browser or an app that gave a PIN stays signed in.",
    )
    sign_in_url: str = Field(
        default="",
        pattern=r"^(https?://[^\s\x00-\x1f]+)?$",
        description="Where people sign in with auth jwt; the page leads them there.",
    )
    jwt_issuer: str = Field(default="", description="Who issues tokens: `iss`, to the letter.")
    jwt_audience: str = Field(default="", description="Whom tokens must be for: `aud`.")
    jwt_jwks_url: str = Field(default="", description="Where the issuer's public keys are (JWKS).")
    jwt_algorithms: tuple[SignatureAlgorithm, ...] = Field(
        default=("RS256", "ES256", "EdDSA"),
        min_length=1,
        description="Signatures that count; public keys only.",
    )
    jwt_user_claim: str = Field(
        default="sub", min_length=1, description="The claim that says who somebody is."
    )
    jwt_leeway_seconds: float = Field(
        default=30.0, ge=0, le=300, description="How far the issuer's clock may be from ours."
    )
    allow_anybody: bool = Field(
        default=False,
        description="Serve other machines with auth none: something in front decides who may come.",
    )
    user: str = Field(
        default="local",
        min_length=1,
        max_length=64,
        pattern=r"^[^\x00-\x1f\x7f]+$",
        description="Who everybody is with auth none.",
    )
    time_zone: Annotated[str, AfterValidator(known_zone)] = Field(
        default="UTC", description="IANA name; of users who have said nothing of theirs."
    )
    durability: Literal["process", "disk", "strict"] = Field(
        default="disk",
        description="What entries outlive once shown: process, disk (the machine) or strict (its disk).",
    )
    sockets: Literal["picows", "plain"] = Field(
        default="picows",
        description="What WebSockets run on. picows: fastest. plain: uvicorn's and websockets' own.",
    )
    workers: int = Field(default=1, ge=1, le=64, description="Server processes. A SQLite file takes one.")
    journal_quota_mb: int = Field(
        default=1024, ge=1, description="MiB the journal may take while the store is away."
    )
    drain_seconds: float = Field(
        default=20.0,
        ge=0,
        le=3600,
        description="How long turns under way may take to come to their end when the server is told to stop.",
    )
    allowed_origins: tuple[str, ...] = Field(
        default=(), description="Origins of pages beside our own that may connect."
    )
    trust_proxy: bool = Field(
        default=False, description="Believe X-Forwarded-Proto, -Host and -For of a proxy in front."
    )
    proxies: tuple[IPvAnyNetwork, ...] = Field(
        default=tuple(ip_network(network) for network in PRIVATE_NETWORKS),
        description="Networks of proxies whose headers trust_proxy believes.",
    )
    hosts: tuple[str, ...] = Field(
        default=(),
        description="Names, without port, by which clients may reach the server; none: any, with auth none "
        "this machine's.",
    )
    session_rates: Annotated[tuple[RateLimitItem, ...], NoDecode] = Field(
        default=tuple(parse_many("5/10 minutes; 20/day")),
        description="New sessions per user, e.g. `5/10 minutes; 20/day`, or `none` for any number.",
    )
    sessions_per_user: int = Field(
        default=1, ge=1, description="Sessions of a user at a time; one more ends the oldest."
    )
    sessions_per_address: int = Field(
        default=0,
        ge=0,
        description="Sessions from one address at a time; one more is refused. 0: any number.",
    )
    minutes_per_day: int = Field(
        default=0, ge=0, description="Minutes a user may talk from midnight to midnight, UTC. 0: any number."
    )
    agent_sessions: int = Field(
        default=0,
        ge=0,
        description="Sessions the agent takes from this process at a time, as its plan says. 0: any number.",
    )
    agent_queue: int = Field(
        default=10, ge=0, description="Sessions beyond those that may wait for the agent; more are refused."
    )
    max_loop_lag_ms: float = Field(
        default=100.0,
        ge=0,
        description="Refuse new sessions while the process is that late, over 2 s. 0: whatever it is.",
    )
    admin_token: SecretStr = Field(
        default=SecretStr(""),
        description="Opens the console at /console; 16 characters at least. Empty: there is no console.",
    )
    retention_days: int = Field(
        default=90, ge=0, description="Days a conversation is kept after it was last talked in. 0: for ever."
    )
    redact: tuple[Personal, ...] = Field(
        default=(),
        description="Personal data taken out of what was said before it is stored: email, phone, card, iban.",
    )
    http_secret: SecretStr = Field(default=SecretStr(""), description="Signs the calls of `http:` intents.")
    http_hosts: tuple[str, ...] = Field(default=(), description="Hosts that `http:` intents may call.")
    http_networks: tuple[IPvAnyNetwork, ...] = Field(
        default=(), description="Networks beyond the public internet that those hosts' names may lead to."
    )

    @field_validator("log_level", mode="before")
    @classmethod
    def _lower(cls, value: object) -> object:
        return value.lower() if isinstance(value, str) else value

    @field_validator("admin_token")
    @classmethod
    def _long_enough(cls, value: SecretStr) -> SecretStr:
        if 0 < len(value.get_secret_value()) < 16:
            raise ValueError("is too short; 16 characters at least")
        return value

    @field_validator("session_rates", mode="before")
    @classmethod
    def _read_rates(cls, value: object) -> object:
        if isinstance(value, str):
            return () if value.strip() in ("", "none") else tuple(parse_many(value))
        return value or ()

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return init_settings, env_settings, YamlConfigSettingsSource(settings_cls, yaml_file=config_file())

    @property
    def store_url(self) -> str:
        """The database's URL, the default filled in."""
        return self.database_url.get_secret_value() or f"sqlite:///{self.data_dir.resolve() / 'bridge.db'}"

    @property
    def chosen_upstream(self) -> Literal["deepgram", "local"]:
        """Who answers, once `auto` is decided."""
        if self.upstream != "auto":
            return self.upstream
        return "local" if self.lacks_key else "deepgram"

    @property
    def lacks_key(self) -> bool:
        """The agent's address is Deepgram's own, and there is no key for it."""
        elsewhere = self.deepgram_agent_url != Settings.model_fields["deepgram_agent_url"].default
        return not (elsewhere or self.deepgram_api_key.get_secret_value())


def config_file() -> Path:
    """The YAML file in force."""
    return Path(os.environ.get(CONFIG_FILE) or CONFIG / "bridge.yaml")


def wants_traces() -> bool:
    """A collector of OpenTelemetry is named, by the variables every program has for that."""
    named = (os.environ.get(f"OTEL_EXPORTER_OTLP_{which}ENDPOINT") for which in ("", "TRACES_"))
    return any(named) and os.environ.get("OTEL_SDK_DISABLED", "").lower() != "true"


def variable(name: str) -> str:
    """The environment variable of a setting."""
    alias = Settings.model_fields[name].validation_alias
    return str(alias.choices[-1]) if isinstance(alias, AliasChoices) else f"BRIDGE_{name.upper()}"


def load() -> Settings:
    """Read and check all settings. Raises BadConfig that names the file and line, or the variable."""
    known = {variable(name) for name in Settings.model_fields} | {CONFIG_FILE}
    strange = sorted(name for name in os.environ if name.startswith("BRIDGE_") and name not in known)
    if strange:
        raise BadConfig(f"environment: {strange[0]} is not a setting (docs/configuration.md lists them)")
    if os.environ.get(CONFIG_FILE) and not config_file().is_file():
        raise BadConfig(f"environment: {CONFIG_FILE}: there is no file {config_file()}")
    try:
        _check_once()
        settings = Settings()
    except SettingsError as error:
        names = " ".join(variable(name) for name in Settings.model_fields if f'"{name}"' in str(error))
        raise BadConfig(f"environment: {names}: this is not JSON") from error
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        raise BadConfig(f"{config_file()}:{mark.line + 1 if mark else 1}: this is not YAML") from error
    except ValidationError as error:
        raise BadConfig(
            "\n".join(_where(problem["loc"], problem["msg"]) for problem in error.errors())
        ) from error
    except (TypeError, ValueError, AttributeError, IndexError, RecursionError) as error:
        raise BadConfig(f"{config_file()}:1: this is not `setting: value`") from error
    _check_together(settings)
    return settings


def _check_together(settings: Settings) -> None:
    """Each may be right, and both wrong. Raises BadConfig."""
    if settings.store_url.startswith("sqlite"):
        if settings.workers > 1:
            told = "a SQLite file takes one; set DATABASE_URL to a PostgreSQL database"
            raise BadConfig(f"BRIDGE_WORKERS: {told}")
        if settings.durability == "strict":
            raise BadConfig("BRIDGE_DURABILITY: strict needs PostgreSQL, on another disk than ours")


def _check_once() -> None:
    """No setting may stand in the file twice. Raises BadConfig, YAMLError."""
    node = yaml.compose(config_file().read_text(encoding="utf-8")) if config_file().is_file() else None
    seen: set[str] = set()
    for key, _ in node.value if isinstance(node, yaml.MappingNode) else ():
        if key.value in seen:
            raise BadConfig(f"{config_file()}:{key.start_mark.line + 1}: {key.value} is there twice")
        seen.add(key.value)


def _plainly(message: str) -> str:
    """A validator's message without its jargon."""
    if message == "Extra inputs are not permitted":
        return "is not a setting (docs/configuration.md lists them)"
    return message.removeprefix("Value error, ")


def _where(location: tuple[int | str, ...], message: str) -> str:
    message = _plainly(message)
    name = str(location[0]).lower() if location else ""
    name = next((n for n in Settings.model_fields if name in (n, variable(n).lower())), name)
    if name in Settings.model_fields and os.environ.get(variable(name)):
        return f"environment: {variable(name)}: {message}"
    lines = config_file().read_text(encoding="utf-8").splitlines() if config_file().is_file() else []
    line = next((n for n, text in enumerate(lines, 1) if text.partition(":")[0].strip().lower() == name), 1)
    return f"{config_file()}:{line}: {name}: {message}"
