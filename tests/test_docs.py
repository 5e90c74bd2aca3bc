"""The README and the documents: what they show runs, what they name is there."""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path
from types import UnionType
from typing import Any, Union, get_args, get_origin

import pytest
import typer
from pydantic import BaseModel

from kneerisk.answer import Answer, answer
from kneerisk.model import Bundle
from kneerisk.schema import Screening, columns, read_screening
from pipelines.__main__ import app
from serving.request_examples import EXAMPLE

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text("utf-8")
API = (ROOT / "docs/api.md").read_text("utf-8")
DOCUMENTS = sorted(
    path
    for pattern in ("*.md", "docs/**/*.md", "data/README.md", "models/README.md")
    for path in ROOT.glob(pattern)
    # Cards of released models lie beside the page of `models/`; they are made, not written.
)
NAMES = [str(path.relative_to(ROOT)) for path in DOCUMENTS]
#: What only a reader of this very checkout could understand.
FORBIDDEN = re.compile(
    r"\bshared/|(?<![\w.])/(?:home|root|tmp|work)\b|\bTODO\b|\bissues? \d|(?<!\w)#\d",
    re.IGNORECASE,
)
LINK = re.compile(r"\]\(([^)\s]+)\)")
SHOWN_FILE = re.compile(r"`((?:src|docs|data|tests|models|pipelines|serving)/[\w./-]+\.\w+)`")


def blocks(text: str, language: str) -> list[str]:
    """The fenced blocks of a language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def shown_code(text: str) -> str:
    """Everything that is set as code, in blocks or in a line."""
    fenced = re.compile(r"^```\w*\n(.*?)^```$", re.MULTILINE | re.DOTALL)
    return "\n".join(fenced.findall(text) + re.findall(r"`([^`\n]+)`", fenced.sub("", text)))


def curl_body() -> dict[str, Any]:
    """The body of the README's request."""
    found: dict[str, Any] = json.loads(re.findall(r"-d '(.*?)'", README, re.DOTALL)[0])
    return found


def shown_answer(page: str) -> dict[str, Any]:
    """The answer that a page shows, without the marks of what was left out."""
    text = re.sub(r",?\s*\.\.\.(?=\s*[\]}])", "", blocks(page, "json")[0])
    text = re.sub(r'"\.\.\."', '"left out"', re.sub(r"\.\.\.,?(?!\")", "", text))
    shown: dict[str, Any] = json.loads(text)
    return shown


def of_model(annotation: Any) -> type[BaseModel] | None:
    """The pydantic model inside an annotation such as `list[Reason] | None`."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    if get_origin(annotation) in (list, Union, UnionType):
        return next((found for part in get_args(annotation) if (found := of_model(part))), None)
    return None


def strange_keys(shown: Any, model: type[BaseModel] | None, place: str = "") -> list[str]:
    """Keys of a shown answer that the code's answer does not have."""
    if isinstance(shown, list):
        return [key for part in shown for key in strange_keys(part, model, place)]
    if not isinstance(shown, dict) or model is None:
        return []
    fields = {field.alias or name: field for name, field in model.model_fields.items()}
    strange = [f"{place}/{key}" for key in shown if key not in fields]
    for key in shown.keys() & fields.keys():
        strange += strange_keys(shown[key], of_model(fields[key].annotation), f"{place}/{key}")
    return strange


class TestRequest:
    def test_is_the_one_that_make_up_prints(self) -> None:
        assert curl_body() == EXAMPLE

    def test_is_a_screening(self) -> None:
        assert isinstance(Screening.model_validate(curl_body()), Screening)

    @pytest.mark.parametrize("page", [README, API], ids=["README", "API"])
    def test_answer_has_no_key_that_the_code_has_not(self, page: str) -> None:
        assert strange_keys(shown_answer(page), Answer) == []

    def test_strange_keys_are_found(self) -> None:
        assert strange_keys({"risk": {"left": {"odds": 1}}}, Answer) == ["/risk/left/odds"]

    def test_answer_of_the_api_page_is_whole(self, released: Bundle) -> None:
        answered = answer(released, read_screening(curl_body())).model_dump(exclude_none=True)
        shown = shown_answer(API)

        assert shown.keys() == answered.keys()
        assert shown["risk"].keys() == answered["risk"].keys()
        assert shown["notice"] == answered["notice"]
        for side in ("left", "right", "either"):
            assert shown["risk"][side].keys() == answered["risk"][side].keys()

    def test_the_readme_shows_a_part_of_it(self) -> None:
        risk, whole = shown_answer(README)["risk"], shown_answer(API)["risk"]
        for name, shown in risk.items():
            if name in ("left", "right"):
                assert shown.items() <= whole[name].items()
            else:
                assert shown == whole[name]

    def test_shown_numbers_agree_with_each_other(self) -> None:
        risk = shown_answer(API)["risk"]
        for side, unit in (("left", "leg"), ("right", "leg"), ("either", "either")):
            knee, base = risk[side], risk["base_rate"][unit]
            low, high = knee["interval"]
            assert low < knee["probability"] < high
            assert abs(100 * knee["probability"] - knee["per_100"]) <= 0.6
            ratio = knee["probability"] / base
            bands = {"below": (0, 0.76), "near": (0.74, 1.26), "above": (1.24, 2.02)}
            lowest, highest = bands.get(knee["band"], (1.98, 1000))
            assert lowest <= ratio <= highest


def test_the_readme_stays_short() -> None:
    prose = re.sub(r"^```.*?^```$", "", README, flags=re.MULTILINE | re.DOTALL)
    assert len(prose.split()) <= 900


class TestPython:
    def test_lines_run(
        self,
        champion_models: Path,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        (tmp_path / "models").symlink_to(champion_models)
        (tmp_path / "data").symlink_to(ROOT / "data")
        monkeypatch.chdir(tmp_path)
        found: dict[str, Any] = {}

        for lines in blocks(API, "python"):
            exec(compile(lines, "docs/api.md", "exec"), found)

        assert "has not been validated on real people" in capsys.readouterr().out
        assert len(found["team"]) == 100


@pytest.mark.parametrize("name", NAMES)
class TestEveryDocument:
    def test_links_resolve(self, name: str) -> None:
        page = ROOT / name
        targets = [t for t in LINK.findall(page.read_text("utf-8")) if "://" not in t]
        missing = [t for t in targets if not (page.parent / t.partition("#")[0]).exists()]
        assert missing == []

    def test_files_named_exist(self, name: str) -> None:
        named = SHOWN_FILE.findall((ROOT / name).read_text("utf-8"))
        made = re.compile(r"models/champion\.json|models/kneerisk-")
        assert [f for f in named if not made.match(f) and not (ROOT / f).exists()] == []

    def test_commands_named_exist_with_their_options(self, name: str) -> None:
        assert unknown_commands(shown_code((ROOT / name).read_text("utf-8"))) == []

    def test_make_targets_named_exist(self, name: str) -> None:
        targets = set(re.findall(r"^(\w+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
        named = re.findall(r"\bmake (\w+)", shown_code((ROOT / name).read_text("utf-8")))
        assert set(named) <= targets

    def test_columns_in_shown_bodies_are_columns(self, name: str) -> None:
        named = re.findall(r"`((?:left|right)_\w+)`", (ROOT / name).read_text("utf-8"))
        known = {*columns(), "left_right_odds_ratio"}
        assert [c for c in named if c not in known and not c.endswith("_")] == []

    def test_nothing_of_the_workshop_is_mentioned(self, name: str) -> None:
        text = (ROOT / name).read_text("utf-8")
        assert [found.group() for found in FORBIDDEN.finditer(text)] == []


def test_unknown_commands_are_found() -> None:
    assert unknown_commands("kneerisk fly\nkneerisk train --wings") == ["fly", "train --wings"]


@cache
def commands() -> dict[str, set[str]]:
    """Every command with its options, `ingest sheet` for one of a group."""
    found = {}
    for prefix, one in {"": app, **{f"{name} ": group for name, group in groups().items()}}.items():
        for name, command in typer.main.get_group(one).commands.items():
            options = {option for parameter in command.params for option in parameter.opts}
            found[prefix + name] = {*options, "--help"}
    return found


def groups() -> dict[str, typer.Typer]:
    """Commands that have commands of their own."""
    return {
        group.name: group.typer_instance
        for group in app.registered_groups
        if isinstance(group.name, str) and group.typer_instance is not None
    }


def unknown_commands(code: str) -> list[str]:
    """What a text calls that the command line does not have."""
    known, strange = commands(), []
    for line in code.replace("\\\n", " ").splitlines():
        for call in re.findall(r"(?:^|[\s/])kneerisk ((?!\.tar)[a-z][^#;&|]*)", line):
            words = call.split()
            name = " ".join(words[:2]) if words[0] in groups() and len(words) > 1 else words[0]
            every = name.replace("ric|weightlifters|sheet", "sheet")
            if every not in known and every not in groups():
                strange.append(every)
                continue
            options = [word for word in words if word.startswith("--")]
            strange += [f"{every} {o}" for o in options if o not in known.get(every, ())]
    return strange
