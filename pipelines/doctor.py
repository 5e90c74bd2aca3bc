"""`kneerisk doctor`: this machine, its models and stores -> what is wrong and what to do."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from kneerisk.words import text, variant
from pipelines import console
from pipelines.options import MODELS, RELEASE_PANEL, Json, Models, examples

if TYPE_CHECKING:
    from kneerisk.diagnosis.findings import Finding, Place

app = typer.Typer()


@app.command(
    help=text("help.doctor.command"),
    rich_help_panel=RELEASE_PANEL,
    epilog=examples("doctor", "doctor --models /srv/models --json"),
)
def doctor(
    models: Models = MODELS,
    port: Annotated[
        int, typer.Option(envvar="PORT", min=1, max=65_535, help=text("help.doctor.port"))
    ] = 3000,
    mlflow_port: Annotated[
        int,
        typer.Option(envvar="MLFLOW_PORT", min=1, max=65_535, help=text("help.doctor.mlflow_port")),
    ] = 5000,
    as_json: Json = False,
) -> None:
    """Look at everything that usually goes wrong."""
    from kneerisk.diagnosis.findings import Place, examine
    from kneerisk.diagnosis.machine_checks import (
        check_clock,
        check_disk,
        check_packages,
        check_ports,
    )
    from kneerisk.diagnosis.model_checks import check_champion, check_models_folder
    from kneerisk.diagnosis.store_checks import check_measures_file, check_mlflow, check_records

    place = Place(folder=Path.cwd(), models=models, service_port=port, mlflow_port=mlflow_port)
    findings = examine(
        place,
        (
            check_packages, check_clock, check_disk, check_ports, check_champion,
            check_models_folder, check_measures_file, check_access, check_mlflow, check_records,
        ),
    )  # fmt: skip
    faults = sum(finding.state == "fault" for finding in findings)
    result = {"faults": faults, "findings": [finding.as_dict() for finding in findings]}
    console.result(result, as_json, *_summary(findings, faults))
    if faults:
        raise typer.Exit(1)


def check_access(place: Place) -> Sequence[Finding]:
    """Keys, hosts and origins, as the service reads them when it starts."""
    del place
    from kneerisk.diagnosis.findings import Finding

    try:
        from serving.access import Access
    except ModuleNotFoundError as error:
        told = text("diagnosis.access.not_installed", module=error.name)
        return [Finding("access", "note", told, text("diagnosis.access.install"))]
    Access.from_environment()
    return [Finding("access", "ok", text("diagnosis.access.ok"))]


def _summary(findings: Sequence[Finding], faults: int) -> list[str]:
    """A line for each finding, with its cure beneath."""
    widest = max(len(finding.about) for finding in findings)
    lines = []
    for finding in findings:
        state = variant("diagnosis.state", finding.state)
        lines.append(f"{state:<5}  {finding.about:<{widest}}  {finding.told}")
        if finding.cure:
            lines.append(f"{'':<5}  {'':<{widest}}  -> {finding.cure}")
    end = (
        text("diagnosis.summary.faults", count=faults) if faults
        else text("diagnosis.summary.sound")
    )  # fmt: skip
    return ["\n".join(lines), end]
