"""``trimtab check`` and ``trimtab schema``: the configuration files."""

import json as json_text
from pathlib import Path
from typing import Annotated, Any

import typer

from trimtab.cli.answer import Answer, answering
from trimtab.cli.options import Config, Debug, Json, config_folder


def check(
    config: Config = None,
    quick: Annotated[
        bool, typer.Option("--quick", help="Leave out what only Great Expectations can tell.")
    ] = False,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Show every problem of every configuration file at once, with its line and a fix."""
    with answering(as_json=json, debug=debug) as answer:
        folder = config_folder(config)
        problems, counts = _problems(answer, folder, quick=quick)
        answer.document = {
            "ok": not problems,
            **counts,
            "problems": [vars(problem) for problem in problems],
        }
        for problem in problems:
            answer.say(str(problem))
        answer.ok = not problems
        told = ", ".join(f"{count} {name}" for name, count in counts.items())
        answer.say(f"{told}: {f'{len(problems)} problem(s)' if problems else 'all fine'}")


def schema(
    config: Config = None,
    check: Annotated[
        bool, typer.Option("--check", help="Write nothing; fail when a file is out of date.")
    ] = False,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Write the JSON Schemas of the configuration files, for editors, and of ``gate.json``."""
    with answering(as_json=json, debug=debug) as answer:
        folder = config_folder(config) / "schema"
        wanted = {folder / f"{name}.json": text for name, text in schemas().items()}
        stale = [f for f, text in wanted.items() if not f.exists() or f.read_text() != text]
        answer.document = {"files": [str(f) for f in wanted], "changed": [str(f) for f in stale]}
        if check and stale:
            names = ", ".join(file.name for file in stale)
            answer.refuse(f"out of date: {names}; run 'trimtab schema'", kind="schema")
            return
        folder.mkdir(exist_ok=True)
        for file in stale:
            file.write_text(wanted[file])
        answer.say(f"{folder}: {len(stale)} of {len(wanted)} written")


def schemas() -> dict[str, str]:
    """JSON Schema of each kind of file, by name, as text."""
    from trimtab.config import DatasetSpec, EnvironmentSpec, ModelSpec
    from trimtab.config.view import FeatureView
    from trimtab.types import GateVerdict

    kinds: dict[str, Any] = {
        "dataset": DatasetSpec,
        "model": ModelSpec,
        "view": FeatureView,
        "environment": EnvironmentSpec,
    }
    texts = {name: _text(kind.model_json_schema(by_alias=True)) for name, kind in kinds.items()}
    return {**texts, "gate": _text(GateVerdict.model_json_schema(mode="serialization"))}


def _text(schema: dict[str, Any]) -> str:
    document = {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}
    return json_text.dumps(document, indent=2, ensure_ascii=False) + "\n"


def _problems(answer: Answer, folder: Path, *, quick: bool) -> tuple[list[Any], dict[str, int]]:
    from trimtab.config import load_project
    from trimtab.config.loader import load_environment
    from trimtab.errors import ConfigError

    project = load_project(folder, registered=_registered())
    problems = list(project.problems)
    places = [file.stem for file in sorted((folder / "environments").glob("*.yaml"))]
    for name in places:
        try:
            load_environment(folder, name)
        except ConfigError as error:
            problems += [p for p in error.problems if p not in problems]
    if not quick:
        problems += _contract_problems(answer, folder, list(project.datasets.values()))
    counts = {
        "datasets": len(list((folder / "datasets").glob("*.yaml"))),
        "views": len(list((folder / "features").glob("*.yaml"))),
        "models": len(list((folder / "models").glob("*.yaml"))),
        "environments": len(places),
    }
    return sorted(problems, key=lambda p: (p.file, p.line, p.key)), counts


def _registered() -> Any:
    from trimtab.config.registered import Registered
    from trimtab.evaluation import registry as evaluation
    from trimtab.features import registry as features
    from trimtab.monitoring import registry as monitoring
    from trimtab.training import registry as training

    return Registered(
        training.names(),
        training.functions(),
        features.functions(),
        evaluation.names(),
        monitoring.names(),
    )


def _contract_problems(answer: Answer, folder: Path, datasets: list[Any]) -> list[Any]:
    """What is wrong with the datasets' checks and patterns, as the libraries see it."""
    from trimtab.config import yaml_text
    from trimtab.config.loader import located
    from trimtab.validation import contract

    if count := sum(len(spec.checks) for spec in datasets):
        answer.say(f"Asking Great Expectations about {count} check(s) …")
    return [
        problem
        for spec in datasets
        for problem in located(
            yaml_text.read(folder / "datasets" / f"{spec.dataset}.yaml"), contract.problems(spec)
        )
    ]
