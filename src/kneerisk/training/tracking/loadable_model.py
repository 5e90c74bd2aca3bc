"""A version as a model that MLflow can load: its bundle, and an `MLmodel` file that says how.

The file names a module of the installed package, which MLflow imports: no code and no pickle lie in
the run (docs/decisions/0027). It names no packages either: nobody but us publishes `kneerisk`, and
an environment that MLflow made would install whatever has that name elsewhere.
"""

from __future__ import annotations

import json
import platform
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from kneerisk.evidence import imbalances
from kneerisk.model.bundle import own_measures_in
from kneerisk.model.golden_cases import BODIES
from kneerisk.schema import SIDES, Quantity, Screening, columns, to_row
from kneerisk.training.tracking.naming import BUNDLE

#: The module that loads a version, by the name that stays in every run; it reads this entry.
LOADER, SHA256 = "kneerisk.batch.pyfunc_loader", "sha256"
MLMODEL, EXAMPLE, REQUEST = "MLmodel", "input_example.json", "serving_input_example.json"
#: Columns of text before the risks, and those after each knee's.
_STATED, _LINEAGE = ("status", "reasons", "red_flags"), ("version", "run_id")


def write_loadable_model(
    folder: Path, bundle_folder: Path, sha256: str, ids: Mapping[str, str]
) -> None:
    """Write what a logged model consists of.

    Parameters
    ----------
    folder
        Where to; a new or empty folder.
    bundle_folder
        The bundle, which is copied.
    sha256
        The hash that it has.
    ids
        What MLflow calls ``run_id``, of the run, and ``model_id``, of the logged model.
    """
    from mlflow.models.model import Model
    from mlflow.models.signature import ModelSignature

    shutil.copytree(bundle_folder, folder / BUNDLE)
    with own_measures_in(bundle_folder).also_in_force():
        signature = ModelSignature(_inputs(), _outputs())
        example = _example()
    for name, content in {EXAMPLE: example, REQUEST: {"dataframe_split": example}}.items():
        (folder / name).write_text(json.dumps(content) + "\n", encoding="utf-8")
    described = Model(
        **ids,
        signature=signature,
        saved_input_example_info={
            "artifact_path": EXAMPLE,
            "serving_input_path": REQUEST,
            "type": "dataframe",
            "pandas_orient": "split",
        },
    )
    # As `mlflow.pyfunc.add_to_model` does, which would import, and warn of, much else.
    described.add_flavor(
        "python_function",
        loader_module=LOADER,
        data=BUNDLE,
        config={SHA256: sha256},
        python_version=platform.python_version(),
    )
    described.save(str(folder / MLMODEL))


def bundle_within(folder: Path) -> Path:
    """The bundle of a fetched version: all that runs of older programs have."""
    return folder / BUNDLE if (folder / MLMODEL).exists() else folder


def _inputs() -> Any:
    """The columns of a screening, none of which MLflow asks for.

    Numbers are of any type: as a double MLflow would refuse a column of whole numbers, which is
    what pandas makes of ages. They are checked by the schema, with the reasons.
    """
    from mlflow.types import ColSpec, DataType, Schema
    from mlflow.types.schema import AnyType

    kinds = {
        name: AnyType() if isinstance(measure, Quantity) else DataType.string
        for name, measure in columns().items()
    }
    kinds["red_flags"] = DataType.string
    return Schema([ColSpec(kind, name, required=False) for name, kind in kinds.items()])


def _outputs() -> Any:
    from mlflow.types import ColSpec, DataType, Schema

    return Schema(
        [ColSpec(getattr(DataType, kind), name, required=False) for name, kind in _scored()]
    )


def _scored() -> Iterator[tuple[str, str]]:
    """The columns of a score and their types, in order."""
    shown = (*reversed(SIDES), "either")
    yield from ((name, "string") for name in _STATED)
    for knee in shown:
        yield from ((f"risk_{knee}{end}", "double") for end in ("", "_low", "_high"))
        yield f"band_{knee}", "string"
    for side in reversed(SIDES):
        yield from ((f"{side}_{name}", "double") for name in imbalances())
    yield from ((name, "string") for name in _LINEAGE)


def _example() -> dict[str, Any]:
    """Nobody's screenings, as MLflow keeps an example: names of columns, and rows."""
    rows = [to_row(Screening.model_validate(body)) for body in BODIES]
    names = [name for name in columns() if any(name in row for row in rows)]
    return {"columns": names, "data": [[row.get(name) for name in names] for row in rows]}
