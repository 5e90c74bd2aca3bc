"""The files of `deploy/`: what their checkers say, and what no checker knows of us."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
from copy import deepcopy
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import yaml

from pipelines import locked
from serving.__main__ import _parser
from serving.monitoring import Metrics
from serving.private_files import is_open_to_others
from serving.routes import served_routes

ROOT = Path(__file__).parents[1]
DEPLOY = ROOT / "deploy"
MANIFESTS = sorted((DEPLOY / "kubernetes").glob("*.yaml"))
#: The oldest version of Kubernetes that the manifests are for: `sleep` before a stop.
KUBERNETES = "1.33"
#: A version to the patch, whatever follows it; `latest` or a bare `17` is none.
PINNED = re.compile(r"[\w./-]+:\d+\.\d+(\.\d+)?(-\w+)*")
OWN_IMAGES = {"kneerisk:0.1.0", "kneerisk-mlflow:0.1.0"}
COMPOSE = yaml.safe_load((DEPLOY / "compose.yaml").read_text("utf-8"))
SETTINGS = {
    "KNEERISK_NAME": "knees.club.example",
    "MLFLOW_NAME": "mlflow.club.example",
    "KNEERISK_MODELS": "/srv/models",
}


def script(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, DEPLOY / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


STAGES = script("image_build").read_dockerfile(DEPLOY / "Dockerfile")
DEPLOYMENT = yaml.safe_load((DEPLOY / "kubernetes/deployment.yaml").read_text("utf-8"))
POD = DEPLOYMENT["spec"]["template"]["spec"]
(CONTAINER,) = POD["containers"]


def program(name: str) -> str:
    """Where a checker is; the test is left out, with its name, where it is not installed."""
    found = shutil.which(name, path=f"{Path(sys.executable).parent}:/usr/sbin:/usr/bin:/bin")
    if found is None:
        pytest.skip(f"{name} is not installed")
    return found


def checked(*command: str | Path, cwd: Path = DEPLOY, stdin: str | None = None) -> None:
    done = subprocess.run(
        command, cwd=cwd, input=stdin, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


class TestDockerfile:
    def test_hadolint_finds_nothing(self) -> None:
        checked(program("hadolint"), "Dockerfile")

    def test_base_images_are_pinned(self) -> None:
        outside = [s.parent for s in STAGES.values() if s.parent not in STAGES]
        assert outside == ["python:3.12.12-slim-bookworm"]
        assert all(map(PINNED.fullmatch, outside))

    @pytest.mark.parametrize("name", ["service", "mlflow"])
    def test_an_image_runs_as_a_number_and_says_whether_it_is_well(self, name: str) -> None:
        uid, gid = STAGES[name].last("USER").split(":")
        assert int(uid) > 0
        assert int(gid) > 0
        assert "CMD [" in STAGES[name].last("HEALTHCHECK")

    def test_steps_need_no_shell_and_every_package_has_a_hash(self) -> None:
        steps = [json.loads(s) for one in STAGES.values() for word, s in one.steps if word == "RUN"]
        installs = [step for step in steps if step[1] == "install"]
        assert len(installs) == 5
        for step in installs:
            ours = {"--no-deps", "--no-index"} <= set(step) and step[-1] == "kneerisk"
            assert ours or "--require-hashes" in step

    def test_nothing_but_the_sources_enters_an_image(self) -> None:
        rules = (DEPLOY / "Dockerfile.dockerignore").read_text("utf-8").splitlines()
        rules = [rule for rule in rules if not rule.startswith("#")]
        let_in = {rule[1:] for rule in rules if rule.startswith("!")}
        copies = [rest.split() for one in STAGES.values() for word, rest in one.steps
                  if word == "COPY"]  # fmt: skip
        copied = {name for *names, _ in copies for name in names if "--from=" not in names[0]}
        assert rules[0] == "*"
        assert let_in == copied
        assert all((ROOT / name).exists() for name in copied)


def service_arguments() -> dict[str, list[str]]:
    return {
        "Dockerfile": STAGES["service"].arguments("CMD"),
        "compose": interpolated()["services"]["service"]["command"],
        "Kubernetes": CONTAINER["args"],
    }


def interpolated() -> dict[str, Any]:
    """The compose file with its settings filled in, as compose does it first."""
    text = (DEPLOY / "compose.yaml").read_text("utf-8")
    found: dict[str, Any] = yaml.safe_load(
        re.sub(r"\$\{(\w+)(?::\?[^}]+)?\}", lambda name: SETTINGS[name[1]], text)
    )
    return found


@pytest.mark.parametrize("where", ["Dockerfile", "compose", "Kubernetes"])
def test_the_service_has_the_options_that_it_is_started_with(where: str) -> None:
    options = _parser().parse_args(service_arguments()[where])
    assert options.host == "0.0.0.0"
    assert options.port == 3000
    assert str(options.models) == "/models"
    assert options.key_file.name == "service_key"


def test_mlflow_has_the_options_that_it_is_started_with() -> None:
    start = STAGES["mlflow"].arguments("ENTRYPOINT") + STAGES["mlflow"].arguments("CMD")
    assert start[:4] == ["mlflow", "server", "--app-name", "kneerisk"]
    stated = [*start, *interpolated()["services"]["mlflow"]["command"]]
    # With `--help` it reads its options and starts nothing; an unknown one is an error first.
    checked(sys.executable, "-m", *stated, "--help")


def test_the_tables_of_the_records_are_made_by_a_command_that_there_is() -> None:
    from pipelines.records import app

    job = COMPOSE["services"]["records-tables"]
    assert job["entrypoint"] + job["command"] == ["kneerisk", "records", "upgrade"]
    assert "upgrade" in {one.name or one.callback.__name__ for one in app.registered_commands}


class TestCompose:
    def test_it_is_read_by_the_specification(self) -> None:
        compose_spec = pytest.importorskip("compose_spec")
        good = interpolated()
        assert set(compose_spec.PyCompose.from_json(json.dumps(good)).service_names()) == set(
            good["services"]
        )
        bad = deepcopy(good)
        bad["services"]["service"]["memory_limit"] = "2g"
        with pytest.raises(ValueError, match="memory_limit"):
            compose_spec.PyCompose.from_json(json.dumps(bad))

    def test_only_the_proxy_publishes_a_port(self) -> None:
        assert {n: s["ports"] for n, s in COMPOSE["services"].items() if "ports" in s} == {
            "proxy": ["443:8443"]
        }
        assert {n for n, s in COMPOSE["services"].items() if "outside" in s["networks"]} == {
            "proxy"
        }
        open_networks = {n for n, net in COMPOSE["networks"].items() if not net.get("internal")}
        assert open_networks == {"outside"}

    @pytest.mark.parametrize("name", COMPOSE["services"])
    def test_a_container_has_no_more_rights_than_it_needs(self, name: str) -> None:
        service = COMPOSE["services"][name]
        assert service["read_only"] is True
        assert service["cap_drop"] == ["ALL"]
        assert service["security_opt"] == ["no-new-privileges:true"]
        assert not {"privileged", "cap_add", "network_mode", "pid"} & set(service)
        assert service["image"] in OWN_IMAGES or PINNED.fullmatch(service["image"])
        # Our own images state a user that is not root.
        user = service.get("user", "10001:10001" if service["image"] in OWN_IMAGES else "0:0")
        assert "0" not in user.split(":")
        assert {"mem_limit", "pids_limit"} <= set(service)
        tried = service.get("healthcheck") or service["image"] in OWN_IMAGES
        assert tried

    def test_every_secret_is_a_file_that_is_not_in_the_checkout(self) -> None:
        files = {Path(one["file"]) for one in COMPOSE["secrets"].values()}
        assert {file.parts[0] for file in files} == {"secrets"}
        asked = {s for one in COMPOSE["services"].values() for s in one.get("secrets", ())}
        assert asked == set(COMPOSE["secrets"])
        kept = subprocess.run(
            ["git", "check-ignore", "-q", "deploy/secrets/service_key"], cwd=ROOT, check=False
        )
        assert kept.returncode in (0, 128), "git would take the secrets in; 128: not a checkout"

    def test_its_configurations_are_there(self) -> None:
        for one in COMPOSE["configs"].values():
            assert (DEPLOY / one["file"]).is_file()


def test_no_file_holds_a_secret() -> None:
    telling = re.compile(r"(password|secret|token|key)\s*[:=]\s*[\"']?[\w+/-]{12,}", re.IGNORECASE)
    url_with_password = re.compile(r"://[^/\s:@]+:[^/\s@]+@")
    for path in DEPLOY.rglob("*"):
        if path.is_file() and not {"secrets", "__pycache__"} & {*path.relative_to(DEPLOY).parts}:
            text = path.read_text("utf-8")
            assert not [
                line for line in text.splitlines()
                if telling.search(re.sub(r"/run/secrets/|:'", "", line))
                or url_with_password.search(line)
            ], path  # fmt: skip


def test_a_secret_of_roots_may_be_read_by_a_group(monkeypatch: pytest.MonkeyPatch) -> None:
    """A cluster mounts it so; the service's own file, and root's own, stay private."""

    def is_refused(mode: int, owner: int) -> bool:
        return is_open_to_others(os.stat_result((mode, 1, 1, 1, owner, 10001, 1, 0, 0, 0)))

    monkeypatch.setattr("serving.private_files.os.geteuid", lambda: 10001)
    mode = next(v["secret"]["defaultMode"] for v in POD["volumes"] if "secret" in v)
    assert not is_refused(mode, owner=0)
    assert is_refused(0o444, owner=0)
    assert is_refused(0o460, owner=0)
    assert is_refused(0o440, owner=10001)
    monkeypatch.setattr("serving.private_files.os.geteuid", lambda: 0)
    assert is_refused(0o440, owner=0)


class TestKubernetes:
    @pytest.mark.parametrize("path", MANIFESTS, ids=lambda path: path.stem)
    def test_a_manifest_is_valid(self, path: Path) -> None:
        import kubernetes_validate

        for manifest in yaml.safe_load_all(path.read_text("utf-8")):
            kubernetes_validate.validate(manifest, KUBERNETES, strict=True)

    def test_the_checker_finds_a_word_that_is_none(self) -> None:
        import kubernetes_validate

        bad = deepcopy(DEPLOYMENT)
        bad["spec"]["template"]["spec"]["containers"][0]["readynessProbe"] = {}
        with pytest.raises(kubernetes_validate.ValidationError):
            kubernetes_validate.validate(bad, KUBERNETES, strict=True)

    def test_the_pod_has_no_more_rights_than_it_needs(self) -> None:
        assert POD["automountServiceAccountToken"] is False
        assert POD["securityContext"]["runAsNonRoot"] is True
        image_user = "{runAsUser}:{runAsGroup}".format(**POD["securityContext"])
        assert image_user == STAGES["service"].last("USER")
        assert POD["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        assert CONTAINER["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
        writable = {m["mountPath"] for m in CONTAINER["volumeMounts"] if not m.get("readOnly")}
        assert writable == {"/tmp"}
        assert set(CONTAINER["resources"]) == {"requests", "limits"}
        assert CONTAINER["image"] in OWN_IMAGES

    def test_probes_ask_what_the_service_answers_without_a_key(self) -> None:
        probes = [CONTAINER[f"{kind}Probe"] for kind in ("startup", "liveness", "readiness")]
        for probe in probes:
            route = served_routes()[probe["httpGet"]["path"]]
            assert not route.needs_key
        assert CONTAINER["readinessProbe"]["httpGet"]["path"] == "/readyz"

    def test_the_manifests_mean_the_same_pods(self) -> None:
        found = {path.stem: yaml.safe_load(path.read_text("utf-8")) for path in MANIFESTS}
        labels = DEPLOYMENT["spec"]["template"]["metadata"]["labels"]
        assert found["service"]["spec"]["selector"] == labels
        assert found["disruption-budget"]["spec"]["selector"]["matchLabels"] == labels
        assert found["network-policy"]["spec"]["podSelector"]["matchLabels"] == labels
        assert found["autoscaler"]["spec"]["scaleTargetRef"]["name"] == "kneerisk"
        least = found["autoscaler"]["spec"]["minReplicas"]
        assert found["disruption-budget"]["spec"]["minAvailable"] < least
        (rule,) = found["ingress"]["spec"]["rules"]
        assert f"--allow-host={rule['host']}" in CONTAINER["args"]
        claims = [v["persistentVolumeClaim"]["claimName"] for v in POD["volumes"]
                  if "persistentVolumeClaim" in v]  # fmt: skip
        assert claims == [found["models-claim"]["metadata"]["name"]]


def measured() -> dict[str, set[str]]:
    """Every series of the service's metrics with the names of its labels."""
    metrics = Metrics()
    metrics.request("/v1/predict", 200, 0.01)
    metrics.answered("v1")
    metrics.champion("loaded")
    found: dict[str, set[str]] = {"up": set()}
    for line in metrics.text().decode().splitlines():
        if not line.startswith("#"):
            name, _, labels = line.partition("{")
            found.setdefault(name.split()[0], set()).update(re.findall(r'(\w+)="', labels))
    return found


def dashboard() -> dict[str, Any]:
    found: dict[str, Any] = json.loads((DEPLOY / "grafana/kneerisk.json").read_text("utf-8"))
    return found


def expressions() -> list[str]:
    rules = yaml.safe_load((DEPLOY / "prometheus/alerts.yaml").read_text("utf-8"))
    alerts = [rule["expr"] for group in rules["groups"] for rule in group["rules"]]
    return alerts + [one["expr"] for panel in dashboard()["panels"] for one in panel["targets"]]


class TestMonitoring:
    def test_every_series_that_is_asked_for_exists(self) -> None:
        series = measured()
        asked = expressions() + [
            one["query"]["query"] for one in dashboard()["templating"]["list"][1:]
        ]
        for expression in asked:
            names = re.findall(r"\b(kneerisk_\w+|up\b)(?:\{([^}]*)\})?", expression)
            assert names, expression
            for name, labels in names:
                known = series[name] | {"job", "instance"}
                assert set(re.findall(r"(\w+)=~?\"", labels)) <= known, expression
            grouped = re.findall(r"\bby \(([^)]*)\)", expression)
            known = {"job", "instance"}.union(*(series[name] for name, _ in names))
            assert {n.strip() for group in grouped for n in group.split(",")} <= known, expression

    def test_promtool_finds_nothing_and_every_alert_goes_off_when_it_should(self) -> None:
        promtool, folder = program("promtool"), DEPLOY / "prometheus"
        checked(promtool, "check", "rules", "alerts.yaml", cwd=folder)
        checked(promtool, "test", "rules", "alerts_test.yaml", cwd=folder)
        checked(promtool, "check", "config", "--syntax-only", "prometheus.yaml", cwd=folder)

    def test_promtool_reads_every_expression_of_the_dashboard(self, tmp_path: Path) -> None:
        filled = [
            expression.replace("$job", "kneerisk").replace("$route", ".*")
            for expression in expressions()
        ]
        rules = [{"record": f"panel:{n}", "expr": one} for n, one in enumerate(filled)]
        file = tmp_path / "rules.yaml"
        file.write_text(yaml.safe_dump({"groups": [{"name": "panels", "rules": rules}]}))
        checked(program("promtool"), "check", "rules", file)

    def test_every_alert_is_tried(self) -> None:
        folder = DEPLOY / "prometheus"
        rules = yaml.safe_load((folder / "alerts.yaml").read_text("utf-8"))
        tries = yaml.safe_load((folder / "alerts_test.yaml").read_text("utf-8"))
        goes_off, stays = (
            {one["alertname"] for one in test["alert_rule_test"]} for test in tries["tests"]
        )
        named = {rule["alert"] for group in rules["groups"] for rule in group["rules"]}
        assert goes_off == stays == named


def test_nginx_reads_the_proxys_configuration(tmp_path: Path) -> None:
    nginx = program("nginx")
    key, certificate = tmp_path / "tls_key", tmp_path / "tls_certificate"
    checked(
        program("openssl"), "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=x",
        "-keyout", key, "-out", certificate,
    )  # fmt: skip
    text = (DEPLOY / "proxy/nginx.conf").read_text("utf-8")
    file = tmp_path / "nginx.conf"
    file.write_text(text.replace("/tmp/", f"{tmp_path}/").replace("/run/secrets/", f"{tmp_path}/"))
    checked(nginx, "-t", "-c", file)


class TestLock:
    PINS = locked.read_lock(ROOT / "requirements.lock")

    def test_the_part_for_serving_is_what_the_bento_installs(self) -> None:
        names = locked.stated(ROOT / "pyproject.toml", ["serve"])
        part = {(pin.name, pin.version) for pin in locked.needed(self.PINS, names)}
        bento = locked.read_lock(ROOT / "serving/requirements.txt")
        assert part == {(pin.name, pin.version) for pin in bento}

    def test_every_package_of_the_lock_has_hashes_and_is_asked_for(self) -> None:
        assert all(pin.hashes and pin.asked_by for pin in self.PINS)
        text = (ROOT / "requirements.lock").read_text("utf-8")
        assert sum(len(pin.hashes) for pin in self.PINS) == text.count("--hash=")
        assert len(self.PINS) == len(re.findall(r"^[\w.-]+==", text, re.MULTILINE))

    def test_a_name_that_the_lock_does_not_have_is_refused(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert locked.main(["--out", str(tmp_path / "x"), "serve", "nothing"]) == 1
        assert "nothing" in capsys.readouterr().err
        assert not (tmp_path / "x").exists()

    def test_the_part_is_the_lines_of_the_lock(self, tmp_path: Path) -> None:
        out = tmp_path / "part.txt"
        assert locked.main(["--out", str(out), "hatchling"]) == 0
        lines = out.read_text("utf-8").splitlines()
        assert set(lines) <= set((ROOT / "requirements.lock").read_text("utf-8").splitlines())
        assert lines[0].startswith("hatchling==")
