"""Aliases of versions, and the tag by which their runs show them."""

from __future__ import annotations

from typing import Any

from kneerisk.training.tracking.naming import ALIAS, Version


def holder(client: Any, model: str, alias: str) -> Version | None:
    """The version that carries an alias, or None."""
    from mlflow.exceptions import MlflowException

    try:
        return Version.of(client.get_model_version_by_alias(model, alias))
    except MlflowException as error:
        if error.error_code in ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE"):
            return None
        raise


def give(client: Any, version: Version, alias: str) -> None:
    """Move an alias to a version; the runs of both versions say so."""
    before = holder(client, version.model, alias)
    client.set_registered_model_alias(version.model, alias, str(version.number))
    for one in (before, version):
        if one is not None:
            _show(client, one)


def take(client: Any, model: str, alias: str) -> None:
    """Remove an alias; the run of the version that had it says so."""
    before = holder(client, model, alias)
    client.delete_registered_model_alias(model, alias)
    if before is not None:
        _show(client, before)


def _show(client: Any, version: Version) -> None:
    """Tag the run of a version with all aliases of that version."""
    aliases = sorted(client.get_model_version(version.model, str(version.number)).aliases)
    if aliases:
        client.set_tag(version.run_id, ALIAS, ", ".join(aliases))
    elif ALIAS in client.get_run(version.run_id).data.tags:
        client.delete_tag(version.run_id, ALIAS)
