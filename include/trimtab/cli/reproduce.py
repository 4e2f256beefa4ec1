"""``trimtab reproduce``: train a version again from its record and prove that it is the same."""

from typing import Annotated

import typer

from trimtab.cli.answer import answering
from trimtab.cli.options import (
    Config,
    Debug,
    Home,
    Json,
    ModelVersion,
    model_version,
    open_project,
)


def reproduce(
    what: ModelVersion,
    anyway: Annotated[
        bool,
        typer.Option("--anyway", help="Train even when data, libraries or code are other."),
    ] = False,
    config: Config = None,
    home: Home = None,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Rebuild a version from its record alone; 0 when its predictions are equal to the last bit."""
    model, version = model_version(what)
    with answering(as_json=json, debug=debug) as answer:
        from trimtab.stages import reproduce as stage

        env = open_project(config, home)
        certificate = stage.reproduce(env, model, version, answer.say, anyway=anyway)
        answer.document = certificate.to_json()
        for note in certificate.notes:
            answer.say(f"  note: {note}")
        if certificate.report:
            answer.say(f"certificate: {env.reports / certificate.report}")
        if certificate.equal:
            answer.say(
                f"{model}@{version} is equal: {certificate.rows} recorded rows, maximum absolute "
                f"difference {certificate.max_difference:g}"
            )
        else:
            told = "; ".join(certificate.differences)
            answer.refuse(f"{model}@{version} is not proved equal: {told}", kind="NotEqual")
