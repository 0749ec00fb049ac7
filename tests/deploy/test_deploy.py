"""deploy/: nginx takes its configuration, figures that are named exist, containers may do little."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from bridge.settings import load
from tests.support.figures import every_figure

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
NGINX = shutil.which("nginx") or "/usr/sbin/nginx"


def figures() -> set[str]:
    """Names of series as Prometheus has them."""
    registry = every_figure()
    endings = {"counter": ("_total",), "gauge": ("",), "histogram": ("_bucket", "_sum", "_count")}
    return {metric.name + ending for metric in registry.collect() for ending in endings[metric.type]}


def expressions() -> dict[str, list[str]]:
    """What the dashboard and the alerts ask Prometheus."""
    dashboard = json.loads((DEPLOY / "grafana.json").read_text("utf-8"))
    alerts = yaml.safe_load((DEPLOY / "alerts.yaml").read_text("utf-8"))
    return {
        "grafana": [target["expr"] for panel in dashboard["panels"] for target in panel["targets"]],
        "alerts": [rule["expr"] for group in alerts["groups"] for rule in group["rules"]],
    }


@pytest.mark.parametrize("where", ["grafana", "alerts"])
def test_every_figure_that_is_asked_for_exists(where: str) -> None:
    asked = {name for text in expressions()[where] for name in re.findall(r"bridge_[a-z_]+", text)}
    assert asked
    assert asked <= figures()


def test_the_dashboard_shows_every_figure() -> None:
    shown = {name for text in expressions()["grafana"] for name in re.findall(r"bridge_[a-z_]+", text)}
    assert {re.sub("_(bucket|sum|count)$", "", name) for name in figures()} == {
        re.sub("_bucket$", "", name) for name in shown
    }


def test_every_alert_says_what_is_lost_and_what_to_do() -> None:
    alerts = yaml.safe_load((DEPLOY / "alerts.yaml").read_text("utf-8"))
    for rule in alerts["groups"][0]["rules"]:
        assert rule["annotations"].keys() == {"summary", "todo"}
        assert rule["labels"]["severity"] in {"page", "ticket"}


@pytest.mark.skipif(not Path(NGINX).exists(), reason="no nginx; sudo apt-get install nginx-light")
def test_nginx_takes_its_configuration(tmp_path: Path) -> None:
    pair = ["-keyout", str(tmp_path / "privkey.pem"), "-out", str(tmp_path / "fullchain.pem")]
    wish = ["-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", "/CN=localhost"]
    subprocess.run(["openssl", "req", *wish, *pair], check=True, capture_output=True)
    text = (DEPLOY / "nginx.conf").read_text("utf-8").replace("/tmp/", f"{tmp_path}/")
    text = text.replace("/etc/nginx/tls", str(tmp_path)).replace("bridge:8000", "127.0.0.1:8000")
    configuration = tmp_path / "nginx.conf"
    configuration.write_text(text)
    told = subprocess.run(
        [NGINX, "-t", "-c", str(configuration)], capture_output=True, text=True, check=False
    )
    assert told.returncode == 0, told.stderr
    assert "warn" not in told.stderr


def test_the_image_is_slim_and_locked_and_its_server_no_root() -> None:
    text = (ROOT / "Dockerfile").read_text("utf-8").replace("\\\n", " ")
    told = re.findall(r"^([A-Z]+) +(.*)$", text, re.MULTILINE)
    image = {word: [value for other, value in told if other == word] for word, _ in told}
    assert image["FROM"] == ["python:3.11-slim AS compiled", "python:3.11-slim"]
    assert "make compile BIN=/usr/local/bin" in image["RUN"]
    assert "--from=compiled /app/bridge bridge" in image["COPY"]
    assert "pip install --no-cache-dir --require-hashes -r requirements/core.txt" in image["RUN"]
    assert image["RUN"][-1] == "python -m compileall -q bridge intents persistence"  # not at each start
    assert (image["USER"], image["VOLUME"], image["STOPSIGNAL"]) == (["bridge"], ["/data"], ["SIGTERM"])
    assert "/live" in image["HEALTHCHECK"][0]
    # By no shell, which would keep the signal to itself.
    assert told[-1] == ("CMD", '["python", "-m", "bridge", "serve"]')
    locked = (ROOT / "requirements" / "core.txt").read_text("utf-8")
    pinned = re.findall(r"^[a-z0-9].*$", locked, re.MULTILINE)
    assert len(pinned) > 20
    assert all("==" in line for line in pinned)


def compose() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text("utf-8"))
    return loaded


def test_the_services_of_compose_may_do_little_and_are_waited_for() -> None:
    services = compose()["services"]
    for name in ("bridge", "proxy"):
        assert services[name]["read_only"] is True
        assert services[name]["cap_drop"] == ["ALL"]
    assert "ports" not in services["bridge"] | services["database"]
    for service in services.values():
        for needed, how in service.get("depends_on", {}).items():
            assert how == {"condition": "service_healthy"}
            assert "healthcheck" in services[needed] or needed == "bridge"
    mounted = {v.split(":")[0] for s in services.values() for v in s["volumes"] if v[0] != "."}
    assert mounted == set(compose()["volumes"])


BIN = Path(sys.executable).parent


def check_compose(file: Path) -> subprocess.CompletedProcess[str]:
    """By the schema of the Compose specification."""
    return subprocess.run(
        [BIN / "check-jsonschema", "--builtin-schema", "vendor.compose-spec", file],
        capture_output=True,
        text=True,
        check=False,
    )


def test_compose_is_what_its_specification_allows(tmp_path: Path) -> None:
    assert (told := check_compose(DEPLOY / "compose.yaml")).returncode == 0, told.stdout
    wrong = compose()
    wrong["services"]["bridge"]["stop_grace_periods"] = "30s"
    (tmp_path / "compose.yaml").write_text(yaml.safe_dump(wrong))
    assert "stop_grace_periods" in check_compose(tmp_path / "compose.yaml").stdout


def in_compose() -> dict[str, str]:
    """The server's environment, defaults filled in."""
    given = compose()["services"]["bridge"]["environment"]
    return {name: re.sub(r"\$\{\w+(?::-([^}]*)|[^}]*)\}", r"\1", value) for name, value in given.items()}


def in_kubernetes() -> dict[str, str]:
    bridge = manifests()["StatefulSet"]["spec"]["template"]["spec"]["containers"][0]
    return {one["name"]: one["value"] for one in bridge["env"]}


@pytest.mark.parametrize("environment", [in_compose, in_kubernetes])
def test_what_is_set_in_containers_lets_nobody_in_unknown_and_nobody_take_all(
    environment: Callable[[], dict[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [name for name in os.environ if name.startswith("BRIDGE_")]:
        monkeypatch.delenv(name)
    for name, value in environment().items():
        monkeypatch.setenv(name, value)
    settings = load()
    assert (settings.auth, settings.trust_proxy, settings.allow_anybody) == ("pin", True, False)
    assert 0 < settings.sessions_per_address < 100
    assert 0 < settings.minutes_per_day < 24 * 60


def manifests() -> dict[str, Any]:
    loaded = yaml.safe_load_all((DEPLOY / "kubernetes.yaml").read_text("utf-8"))
    return {one["kind"]: one for one in loaded}


KUBERNETES = "1.30"
"""The oldest release the example is for."""


@pytest.mark.parametrize("version", [KUBERNETES, kubernetes_validate.latest_version()])
def test_kubernetes_takes_every_object_of_the_example(version: str) -> None:
    for one in manifests().values():
        kubernetes_validate.validate(one, version, strict=True)
        wrong = {**one, "spec": {**one["spec"], "replicass": 2}}
        with pytest.raises(kubernetes_validate.ValidationError, match="replicass"):
            kubernetes_validate.validate(wrong, version, strict=True)


def test_the_kubernetes_example_fits_together() -> None:
    kinds = manifests()
    servers = kinds["StatefulSet"]["spec"]
    pod = servers["template"]["spec"]
    [bridge] = pod["containers"]
    labels = servers["template"]["metadata"]["labels"]
    assert servers["replicas"] == kinds["HorizontalPodAutoscaler"]["spec"]["minReplicas"] == 2
    assert servers["selector"]["matchLabels"] == labels == kinds["Service"]["spec"]["selector"]
    assert kinds["PodDisruptionBudget"]["spec"]["selector"]["matchLabels"] == labels
    [metric] = kinds["HorizontalPodAutoscaler"]["spec"]["metrics"]
    assert metric["pods"]["metric"]["name"] in figures()
    drain = float({one["name"]: one["value"] for one in bridge["env"]}["BRIDGE_DRAIN_SECONDS"])
    pause = float(bridge["lifecycle"]["preStop"]["exec"]["command"][1])
    assert pod["terminationGracePeriodSeconds"] >= drain + pause + 5
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert f"--uid {pod['securityContext']['runAsUser']} " in (ROOT / "Dockerfile").read_text("utf-8")
    assert bridge["securityContext"]["readOnlyRootFilesystem"] is True
    mounts = {one["name"] for one in bridge["volumeMounts"]}
    claims = {one["metadata"]["name"] for one in servers["volumeClaimTemplates"]}
    assert mounts == claims | {one["name"] for one in pod["volumes"]}
