"""Registered versions and their aliases. A version of ours is found by its tag."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trimtab.adapters.tracking.entry import HEAD, KEY, VERSION
from trimtab.types import Candidate

if TYPE_CHECKING:
    from mlflow import MlflowClient


@dataclass(frozen=True)
class Registered:
    """A version as MLflow numbers it, whoever registered it."""

    number: str
    run_id: str
    tags: Mapping[str, str]


def every(client: "MlflowClient", model: str) -> list[Registered]:
    """Return all registered versions of a model, the first one first."""
    found: list[Registered] = []
    token = None
    while True:
        page = client.search_model_versions(f"name = '{model}'", page_token=token)
        found += [Registered(str(v.version), v.run_id or "", v.tags) for v in page]
        token = page.token
        if not token:
            return sorted(found, key=lambda version: int(version.number))


def aliases(client: "MlflowClient", model: str) -> dict[str, str]:
    """Return the aliases of a model and MLflow's number of the version each points at."""
    from mlflow.exceptions import MlflowException

    try:
        there = client.get_registered_model(model).aliases
    except MlflowException as error:
        if error.error_code != "RESOURCE_DOES_NOT_EXIST":
            raise
        return {}
    return {alias: str(number) for alias, number in there.items()}


def point(client: "MlflowClient", model: str, alias: str, number: str | None) -> None:
    """Point an alias at one of MLflow's versions, or take it away."""
    if number is None:
        client.delete_registered_model_alias(model, alias)
    else:
        client.set_registered_model_alias(model, alias, number)


def tag(client: "MlflowClient", model: str, number: str, name: str, value: str | None) -> None:
    """Set a tag of one of MLflow's versions, or take it away."""
    if value is None:
        client.delete_model_version_tag(model, number, name)
    else:
        client.set_model_version_tag(model, number, name, value)


def registered(client: "MlflowClient", model: str, version: int) -> Any:
    """Return MLflow's version of a version of ours, None when there is none."""
    wanted = f"name = '{model}' and tag.`{VERSION}` = '{version}'"
    first = ["version_number ASC"]  # whoever writes our tags elsewhere comes later
    found = client.search_model_versions(wanted, max_results=1, order_by=first)
    return found[0] if found else None


def register(
    client: "MlflowClient",
    experiment: str,
    run_id: str,
    candidate: Candidate,
    saved: Path,
    tags: Mapping[str, str],
    *,
    again: bool,
) -> Any:
    """Keep the saved model and register it; ``again``: an attempt may have done part of it."""
    from mlflow.exceptions import MlflowException

    name = candidate.model
    if found := registered(client, name, candidate.version):
        return found
    kept = _earlier(client, experiment, candidate) if again else None
    kept = _kept(client, experiment, run_id, candidate, saved, kept)
    version = {
        "name": name,
        "source": kept.artifact_location,
        "run_id": run_id,
        "tags": dict(tags),
        "model_id": kept.model_id,
        "await_creation_for": 0,
    }
    try:
        return client.create_model_version(**version)
    except MlflowException as error:
        if error.error_code != "RESOURCE_DOES_NOT_EXIST":
            raise
    _named(client, name)  # the first version of this model
    return client.create_model_version(**version)


def tagged(client: "MlflowClient") -> list[str]:
    """Return what every version that ever was champion says of the ledger."""
    texts: list[str] = []
    token: str | None = None
    while True:
        page = client.search_model_versions(
            f"tag.`{HEAD}` LIKE '%'", max_results=1000, page_token=token
        )
        texts += [str(version.tags[HEAD]) for version in page if HEAD in version.tags]
        if not (token := page.token):
            return texts


def _earlier(client: "MlflowClient", experiment: str, candidate: Candidate) -> Any:
    mine = f"tags.`{KEY}` = '{candidate.key}'"
    found = client.search_logged_models([experiment], filter_string=mine, max_results=1)
    return found[0] if found else None


def _kept(
    client: "MlflowClient",
    experiment: str,
    run_id: str,
    candidate: Candidate,
    saved: Path,
    kept: Any,
) -> Any:
    from mlflow.entities import LoggedModelOutput

    if kept is None:
        kept = client.create_logged_model(
            experiment, name="model", source_run_id=run_id, tags={KEY: candidate.key}
        )
    if str(kept.status) != "READY":
        client.log_model_artifacts(kept.model_id, str(saved))
        client.finalize_logged_model(kept.model_id, "READY")
        client.log_outputs(run_id, [LoggedModelOutput(kept.model_id, 0)])
    return kept


def _named(client: "MlflowClient", name: str) -> None:
    from mlflow.exceptions import MlflowException

    try:
        client.create_registered_model(name)
    except MlflowException as error:
        if error.error_code != "RESOURCE_ALREADY_EXISTS":
            raise
