import json
import random
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st
from published_bodies import Generator
from pydantic import ValidationError

from kneerisk.schema import Quantity, Screening, columns
from kneerisk.schema.columns import column_locations
from kneerisk.schema.data_dictionary import json_schema, markdown
from kneerisk.schema.sections import RED_FLAGS
from pipelines.derive import RENDERERS, ROOT, derive

PUBLISHED = json.loads(json_schema())


@given(st.integers(0, 2**32), st.floats(0.02, 0.9))
@settings(max_examples=150)
def test_a_body_made_from_the_published_schema_is_accepted(seed, filled):
    body = Generator(PUBLISHED, random.Random(seed)).body(filled)
    Screening.model_validate(body)
    Screening.model_validate_json(json.dumps(body))


def test_the_published_rules_are_needed():
    schema = {name: part for name, part in PUBLISHED.items() if name != "allOf"}
    accepted = 0
    for seed in range(30):
        try:
            Screening.model_validate(Generator(schema, random.Random(seed)).body(0.5))
            accepted += 1
        except ValidationError:
            pass
    assert accepted < 30


def test_the_published_schema_names_every_measure():
    parts = PUBLISHED["$defs"]
    published = {
        name: field for part in parts.values() for name, field in part["properties"].items()
    }
    for column, measure in columns().items():
        field = published[column_locations()[column][-1]]
        assert (field["title"], field["description"]) == (measure.label, measure.protocol)
        if isinstance(measure, Quantity):
            assert (field["minimum"], field["maximum"]) == (measure.low, measure.high)


def test_the_dictionary_has_every_measure_once():
    text = markdown()
    for place in column_locations().values():
        assert text.count(f"| `{place[-1]}` |") == 1
    assert all(f"- `{flag}`" in text for flag in RED_FLAGS)


def test_derived_files_are_current():
    assert derive(ROOT, check=True) == []


def test_a_stale_derived_file_is_found_and_written(tmp_path):
    assert [path.name for path in derive(tmp_path, check=True)] == [Path(n).name for n in RENDERERS]
    assert not list(tmp_path.iterdir()), "a check writes nothing"
    derive(tmp_path, check=False)
    assert derive(tmp_path, check=True) == []
    (tmp_path / "data" / "dictionary.md").write_text("old", encoding="utf-8")
    assert [path.name for path in derive(tmp_path, check=True)] == ["dictionary.md"]


def test_the_table_of_names_has_every_measure():
    text = (ROOT / "docs" / "measure-names.md").read_text(encoding="utf-8")
    names = {place[-1] for place in column_locations().values()}
    assert [name for name in names if f"`{name}`" not in text and not name.startswith("run_")] == []
