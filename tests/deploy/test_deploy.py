"""The files of `deploy/` name only what there is: settings, commands, options, metrics, pages, packages."""

import re
import tomllib
from pathlib import Path
from typing import Any, get_args

import pytest
from prometheus_client.parser import text_string_to_metric_families
from ruamel.yaml import YAML
from typer.main import get_command
from typer.testing import CliRunner

from bot.cli import app
from bot.commands.later import COMMANDS
from bot.metrics import Metrics
from bot.serve import Role
from bot.settings import Settings

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
COMMANDS_THERE = {"serve", "demo", "check", "schema", *COMMANDS}
SETTINGS = {name.upper() for name in Settings.model_fields}
NOT_PASSED = {"readyz", "metrics"}  # for whoever runs it, from inside


def text_of(name: str) -> str:
    return (DEPLOY / name).read_text(encoding="utf-8")


def yaml_of(name: str) -> Any:
    return YAML(typ="safe").load(text_of(name))


@pytest.fixture
def compose() -> Any:
    return yaml_of("compose.yaml")


# --- containers -------------------------------------------------------------------------------------------------------


def test_compose_runs_two_of_each_with_what_they_know(compose: Any) -> None:
    """Two web and two worker processes, started by commands that exist, with settings that exist."""
    for role in ("web", "worker"):
        service = compose["services"][role]
        assert service["deploy"]["replicas"] == 2
        assert service["command"][:3] == ["serve", "--role", role]
        assert role in get_args(Role)
        assert set(service["environment"]) <= SETTINGS
        assert {"DATABASE_URL", "REDIS_URL"} <= set(service["environment"])
    options = {word for service in compose["services"].values() for word in service.get("command", [])}
    serve = get_command(app).commands["serve"]  # type: ignore[attr-defined]  # a group of commands
    known = {name for parameter in serve.params for name in parameter.opts}
    assert {each for each in options if each in {"--role", "--port"} or each.startswith("--host")} <= known


def test_the_addresses_in_compose_are_good_settings(compose: Any) -> None:
    """With the passwords put in, the database's and Redis' addresses are what the settings take."""
    given = {
        name: re.sub(r"\$\{\w+:\?\}", "letters1", str(value))
        for name, value in compose["services"]["web"]["environment"].items()
    }
    required = {
        "wecom_corp_id": "ww1",
        "wecom_agent_id": 1,
        "wecom_secret": "a-secret-for-tests",
        "wecom_callback_token": "token",
        "wecom_callback_aes_key": "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG",
        "steward_public_url": "https://bot.example.com",
        "steward_secret_key": "a-key-for-tests-only",
    }
    settings = Settings.explicit(**required, **{name.lower(): value for name, value in given.items()})
    assert settings.redis_url is not None


def test_what_compose_asks_for_is_said_in_its_head(compose: Any) -> None:
    """Each variable that has to be given stands in the comment that says what `.env` needs."""
    text = text_of("compose.yaml")
    asked = set(re.findall(r"\$\{(\w+):\?\}", text))
    assert asked == set(re.findall(r"^#   (\w+)=", text, re.MULTILINE))


def test_images_are_plain_names(compose: Any) -> None:
    """No file names a registry: whoever has a mirror sets it in Docker."""
    images = [service["image"] for service in compose["services"].values()]
    images += re.findall(r"^FROM (\S+)", text_of("Dockerfile"), re.MULTILINE)
    assert len(images) >= 7
    assert [image for image in images if not re.fullmatch(r"[a-z]+(:[\w.-]+)?", image)] == []
    every = "".join(path.read_text(encoding="utf-8") for path in DEPLOY.rglob("*") if path.is_file())
    assert not re.search(r"https?://(?!127\.0\.0\.1)", every)


def test_the_image_runs_as_nobody_in_particular() -> None:
    """The last user is not root, and the settings it comes with exist."""
    text = text_of("Dockerfile")
    assert re.findall(r"^USER (\S+)", text, re.MULTILINE) == ["10001"]
    assert text.index("USER 10001") < text.index("ENTRYPOINT")
    set_in_image = set(re.findall(r"\b(STEWARD_\w+)=", text))
    assert set_in_image
    assert set_in_image <= SETTINGS


def test_the_image_has_what_runs_and_no_more() -> None:
    """What is taken out of the image is what only development needs, and nothing that the program imports."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    [removed] = re.findall(r"pip uninstall --yes ([\w\s-]+?) pip\b", text_of("Dockerfile"))
    development = set(project["optional-dependencies"]["dev"]) - {"hatchling", "editables"}
    assert set(removed.split()) == development
    packages = ("bot", "handlers", "scheduler", "store", "wecom", "rules", "simulator")
    sources = "".join(path.read_text(encoding="utf-8") for each in packages for path in (ROOT / each).rglob("*.py"))
    imported = set(re.findall(r"^\s*(?:from|import) (\w+)", sources, re.MULTILINE))
    assert imported & {name.replace("-", "_") for name in development} == set()


def test_caddy_passes_on_every_page_and_no_more() -> None:
    """Each address of the program that is for others is let through; readiness and metrics are not."""
    [line] = re.findall(r"@outside path (.*)", text_of("Caddyfile"))
    passed = {path.split("/")[1].split("*")[0] for path in line.split()}
    sources = [*(ROOT / "bot/pages").glob("*.py"), ROOT / "bot/server.py"]
    text = "".join(path.read_text(encoding="utf-8") for path in sources)
    there = {path.split("{")[0] for path in re.findall(r'@(?:router|app)\.(?:get|post)\("/([^/"]+)', text)}
    assert there - passed - NOT_PASSED == set()
    assert passed & NOT_PASSED == set()
    assert {"callback", "ingest"} <= passed


# --- systemd ----------------------------------------------------------------------------------------------------------


def test_units_run_commands_that_there_are() -> None:
    """What systemd starts exists, and the timer starts the backup."""
    started = re.findall(r"\.venv/bin/steward (\w+)", "".join(map(text_of, ("systemd/steward.service", BACKUP))))
    assert started == ["serve", "backup"]
    assert set(started) <= COMMANDS_THERE
    assert (DEPLOY / "systemd/steward-backup.timer").exists()
    assert "RestartPreventExitStatus=2" in text_of("systemd/steward.service")


BACKUP = "systemd/steward-backup.service"


def test_operations_names_commands_that_there_are() -> None:
    """Every `steward …` in the page for whoever runs it is a command."""
    page = (ROOT / "docs/operations.md").read_text(encoding="utf-8")
    said = re.findall(r"(?:`|^|exec worker |sudo )steward ([a-z-]+)", page, re.MULTILINE)
    assert len(said) >= 15
    assert set(said) <= COMMANDS_THERE


# --- alerts -----------------------------------------------------------------------------------------------------------


def test_alerts_ask_for_metrics_that_there_are() -> None:
    """Every metric of every alert exists, and so do the labels it is asked by."""
    labels = {
        family.name: {label for sample in family.samples for label in sample.labels}
        for family in text_string_to_metric_families(Metrics().text().decode())
    }
    there = {family.removesuffix("_total") for family in labels}
    rules = [rule for group in yaml_of("prometheus/steward.rules.yml")["groups"] for rule in group["rules"]]
    assert len({rule["alert"] for rule in rules}) == len(rules) > 15
    source = (ROOT / "bot/metrics.py").read_text(encoding="utf-8")
    for rule in rules:
        for metric, chosen in re.findall(r"(steward_\w+)(?:\{([^}]*)\})?", rule["expr"]):
            assert re.sub(r"_(total|bucket)$", "", metric) in there, rule["alert"]
            for label in re.findall(r"(\w+)=", chosen):
                assert f'"{label}"' in source, (rule["alert"], label)


def test_operations_explains_every_alert() -> None:
    """Each alert has its line in the page for whoever runs it, and no other has."""
    page = (ROOT / "docs/operations.md").read_text(encoding="utf-8")
    rules = [rule for group in yaml_of("prometheus/steward.rules.yml")["groups"] for rule in group["rules"]]
    lines = {rule["alert"]: rule["annotations"]["summary"] for rule in rules}
    assert dict(re.findall(r"^\| `(Steward\w+)` \| (.*?) \| ", page, re.MULTILINE)) == lines


def test_the_command_shows_its_roles() -> None:
    """`steward serve --help` knows the roles and the port that the files use."""
    shown = CliRunner().invoke(app, ["serve", "--help"]).output
    assert all(word in shown for word in ("--role", "--port", "web", "worker"))
