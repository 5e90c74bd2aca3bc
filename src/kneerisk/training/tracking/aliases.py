"""Aliases of versions, and the tag by which their runs show them."""

from __future__ import annotations

from typing import Any

from kneerisk.training.tracking.naming import ALIAS, Version


def aliased_version(client: Any, model: str, alias: str) -> Version | None:
    """The version that has an alias.

    Parameters
    ----------
    client
        Of MLflow.
    model
        The registered model.
    alias
        Such as ``champion``.

    Returns
    -------
    The version, or None where none has the alias.
    """
    from mlflow.exceptions import MlflowException

    try:
        return Version.of(client.get_model_version_by_alias(model, alias))
    except MlflowException as error:
        if error.error_code in ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE"):
            return None
        raise


def set_alias(client: Any, version: Version, alias: str) -> None:
    """Move an alias to a version, and update the tag of both versions' runs.

    Parameters
    ----------
    client
        Of MLflow.
    version
        The version that gets the alias.
    alias
        Such as ``champion``.
    """
    before = aliased_version(client, version.model, alias)
    client.set_registered_model_alias(version.model, alias, str(version.number))
    for changed in (before, version):
        if changed is not None:
            _tag_run(client, changed)


def remove_alias(client: Any, model: str, alias: str) -> None:
    """Remove an alias, and update the tag of the run of the version that had it.

    Parameters
    ----------
    client
        Of MLflow.
    model
        The registered model.
    alias
        Such as ``challenger``.
    """
    before = aliased_version(client, model, alias)
    client.delete_registered_model_alias(model, alias)
    if before is not None:
        _tag_run(client, before)


def _tag_run(client: Any, version: Version) -> None:
    """Tag the run of a version with all aliases of the version."""
    aliases = sorted(client.get_model_version(version.model, str(version.number)).aliases)
    if aliases:
        client.set_tag(version.run_id, ALIAS, ", ".join(aliases))
    elif ALIAS in client.get_run(version.run_id).data.tags:
        client.delete_tag(version.run_id, ALIAS)
