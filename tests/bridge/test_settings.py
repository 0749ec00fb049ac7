"""Settings: defaults, YAML, environment, and errors that say where."""

from __future__ import annotations

from pathlib import Path

import pytest

from bridge.errors import BadConfig
from bridge.settings import load


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("PORT", "HOST", "LOG_LEVEL", "DATABASE_URL", "DEEPGRAM_API_KEY", "DEEPGRAM_AGENT_URL"):
        monkeypatch.delenv(name, raising=False)
    path = tmp_path / "bridge.yaml"
    path.touch()
    monkeypatch.setenv("BRIDGE_CONFIG", str(path))
    return path


def test_without_anything_there_are_defaults(file: Path) -> None:
    settings = load()
    assert (settings.host, settings.port, settings.agent) == ("127.0.0.1", 8000, "flux")
    assert settings.chosen_upstream == "local"
    assert settings.store_url == f"sqlite:///{Path('data').resolve()}/bridge.db"
    assert [str(rate) for rate in settings.session_rates] == ["5 per 10 minute", "20 per 1 day"]


def test_the_environment_wins_over_the_file(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file.write_text("port: 9000\nagent: pantry\nuser: anna\n")
    monkeypatch.setenv("PORT", "9100")
    monkeypatch.setenv("BRIDGE_USER", "ben")
    settings = load()
    assert (settings.port, settings.agent, settings.user) == (9100, "pantry", "ben")


@pytest.mark.parametrize("name", ["DEEPGRAM_API_KEY", "DEEPGRAM_AGENT_URL"])
def test_a_key_or_an_address_of_deepgram_chooses_it(
    name: str, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, "ws://x")
    assert load().chosen_upstream == "deepgram"
    monkeypatch.setenv("BRIDGE_UPSTREAM", "local")
    assert load().chosen_upstream == "local"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("agent: flux\nprot: 9000\n", "bridge.yaml:2: prot: is not a setting"),
        ("port: many\n", "bridge.yaml:1: port: Input should be a valid integer"),
        ("# zone\ntime_zone: Mars/Base\n", "bridge.yaml:2: time_zone: is not an IANA time zone"),
        ("port: [1\n", "bridge.yaml:2: this is not YAML"),
        ("session_rates: often\n", "bridge.yaml:1: session_rates:"),
        ('user: "a\\0b"\n', "bridge.yaml:1: user: String should match"),
        ("port: 1\nagent: flux\nport: 2\n", "bridge.yaml:3: port is there twice"),
        ('port: !!int ""\n', "bridge.yaml:1: this is not `setting: value`"),
        (f"port: {'[' * 3000}\n", "bridge.yaml:1: this is not `setting: value`"),
        ("1: x\n", "bridge.yaml:1: this is not `setting: value`"),
        ("- port\n", "bridge.yaml:1: this is not `setting: value`"),
        ("7\n", "bridge.yaml:1: this is not `setting: value`"),
    ],
)
def test_a_mistake_in_the_file_is_named_with_its_line(text: str, expected: str, file: Path) -> None:
    file.write_text(text)
    with pytest.raises(BadConfig) as refused:
        load()
    assert expected in refused.value.description


def test_a_mistake_in_the_environment_is_named(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORT", "many")
    with pytest.raises(BadConfig, match="environment: PORT: Input should be a valid integer"):
        load()


def test_a_list_that_is_not_json_is_named(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BRIDGE_ALLOWED_ORIGINS", "https://app.example.com")
    with pytest.raises(BadConfig, match="environment: BRIDGE_ALLOWED_ORIGINS: this is not JSON"):
        load()


def test_a_settings_file_that_is_not_there_is_named(file: Path) -> None:
    file.unlink()
    with pytest.raises(BadConfig, match=r"environment: BRIDGE_CONFIG: there is no file .*bridge\.yaml"):
        load()


def test_a_log_level_may_be_written_in_capitals(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOG_LEVEL", "WARNING")
    assert load().log_level == "warning"


def test_a_variable_that_is_no_setting_is_an_error(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BRIDGE_AGENTS", "x")
    with pytest.raises(BadConfig, match="environment: BRIDGE_AGENTS is not a setting"):
        load()


@pytest.mark.parametrize("wrong", [("BRIDGE_WORKERS", "2"), ("BRIDGE_DURABILITY", "strict")])
def test_what_needs_postgresql_is_refused_with_a_file(
    wrong: tuple[str, str], file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(*wrong)
    with pytest.raises(BadConfig, match=f"{wrong[0]}: .*PostgreSQL"):
        load()
    monkeypatch.setenv("DATABASE_URL", "postgresql://me@db/x")
    load()


def test_secrets_are_not_printed(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEEPGRAM_API_KEY", "very-secret")
    monkeypatch.setenv("DATABASE_URL", "postgresql://me:very-secret@db/x")
    assert "very-secret" not in repr(load())
