"""``trimtab demo``: a year of real flights through a real Airflow, told as it happens."""

import contextlib
import threading
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any

import typer

from trimtab.cli.answer import Answer, answering
from trimtab.cli.options import (
    AirflowPort,
    Config,
    Debug,
    Home,
    Json,
    MlflowPort,
    Project,
    config_folder,
    home_folder,
)
from trimtab.cli.platform import listen, new_supervisor, show

if TYPE_CHECKING:
    from pathlib import Path

    from trimtab.environment import Environment
    from trimtab.platform.demo.play import Year
    from trimtab.platform.state import State
    from trimtab.platform.supervisor import Supervisor


def demo(
    months: Annotated[int, typer.Option(min=3, max=12, help="January to month N.")] = 12,
    leave: Annotated[bool, typer.Option("--exit", help="Stop everything at the end.")] = False,
    airflow_port: AirflowPort = None,
    mlflow_port: MlflowPort = None,
    project: Project = None,
    config: Config = None,
    home: Home = None,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Run the main job: feed a year of New York flights and watch two models live."""
    with answering(as_json=json, debug=debug) as answer:
        folder, files = home_folder(home), config_folder(config)
        ports = {"airflow": airflow_port, "mlflow": mlflow_port}
        with _platform(answer, folder, files, project, ports) as (state, supervisor):
            _year(answer, folder, files, state, supervisor, months)
            if supervisor is None and leave:
                from trimtab.platform.supervisor import down

                down(folder)
            elif supervisor is not None and not leave:
                answer.say("Everything stays up for looking around; Ctrl-C stops it.")
                supervisor.stopping.wait()


@contextlib.contextmanager
def _platform(
    answer: Answer,
    home: "Path",
    config: "Path",
    project: "Path | None",
    ports: dict[str, int | None],
) -> "Iterator[tuple[State, Supervisor | None]]":
    """Join the platform that is up, or start one and stop it at the end."""
    from trimtab.platform import state

    if there := state.running(home):
        answer.say("Using the platform that is running:")
        show(answer, there)
        yield there, None
        return
    supervisor = new_supervisor(answer, home, config, project)
    listen(supervisor)
    with state.held(home):
        try:
            answer.say(f"Starting the platform of {home} (logs: {home / 'logs'})")
            started = supervisor.start(ports)
            show(answer, started)
            answer.say(f"Platform up after {started.seconds['healthy']:.0f} s.")
            threading.Thread(target=supervisor.watch, daemon=True).start()
            yield started, supervisor
        finally:
            answer.say("Stopping …")
            supervisor.stop()


def _year(
    answer: Answer,
    home: "Path",
    config: "Path",
    state: "State",
    supervisor: "Supervisor | None",
    months: int,
) -> None:
    from trimtab.environment import open_environment
    from trimtab.platform.demo.play import Year
    from trimtab.platform.demo.watch import Airflow

    env = open_environment(home=home, config=config)
    airflow = Airflow(state.urls["airflow"])
    began = time.monotonic()
    with _live(answer, began) as (tell, status):
        year = Year(
            env, airflow, tell, status, lambda: bool(supervisor and supervisor.stopping.is_set())
        )
        year.play(months)
    _tell_outcome(answer, env, year, airflow)


@contextlib.contextmanager
def _live(answer: Answer, began: float) -> Iterator[tuple[Any, Any]]:
    """Lines as they fall; on a terminal also one line below them that says what runs now."""
    from rich.markup import escape

    from trimtab.cli import story

    with answer.console.status("") as line:

        def tell(event: Any) -> None:
            if text := story.of_event(event):
                answer.say(f"{_clock(began)}  {text}")

        def status(month: str, running: list[str]) -> None:
            line.update(escape(f"{_clock(began)}  {month}: {', '.join(running) or 'settling'}"))

        yield tell, status


def _clock(began: float) -> str:
    minutes, seconds = divmod(int(time.monotonic() - began), 60)
    return f"{minutes:2d}:{seconds:02d}"


def _tell_outcome(answer: Answer, env: "Environment", year: "Year", airflow: Any) -> None:
    from trimtab.platform.demo import outcome

    models = list(env.project.models)
    later = [
        name
        for table, name in year.delivered
        if table == "flights" and name > "flights-2013-03.csv"
    ]
    control = _control(answer, env, models[0]) if not _refused(env) else None
    began = year.began or env.clock.now()
    document = {
        "versions": [row for model in models for row in outcome.versions(env, model)],
        "findings": [row for model in models for row in outcome.findings(env, model)],
        "rows": [outcome.rows(env, dataset) for dataset in env.project.datasets],
        "control": control,
        "seconds": {
            "first_champion": year.first_champion,
            "year": round(year.wall, 1),
            "months": year.months,
            **outcome.orchestration(airflow.tasks(began), year.wall),
        },
        "failed_runs": airflow.failed_runs(began),
        "missing": [*year.unsettled, *outcome.missing(env, year.delivered, later)],
    }
    urls = answer.document.get("urls", {})
    answer.document = {**document, "urls": urls, "reports": str(env.reports)}
    _print(answer, document)
    if document["missing"]:
        answer.refuse("expected, but it did not happen:\n  " + "\n  ".join(document["missing"]))


def _refused(env: "Environment") -> bool:
    events = env.ledger.events("gate")
    return any(event.payload["verdict"] == "REJECT" for event in events)


def _control(answer: Answer, env: "Environment", model: str) -> dict[str, Any]:
    from trimtab.cli import story
    from trimtab.platform.demo.control import planted

    answer.say("No challenger was refused by itself; the planted control (a constant model):")
    verdict = planted(env, model)
    answer.say(f"  CONTROL {story.of_record(verdict)}")
    return verdict.to_json()


def _version(row: dict[str, Any]) -> dict[str, Any]:
    """The columns that fit a terminal; the reason stands below the table."""
    low, high = row["interval"]
    return {
        "version": row["version"],
        "data": row["data_version"],
        "cause": row["cause"],
        "estimator": row["estimator"],
        row["primary"]: f"{_number(row['value'])} [{_number(low)}, {_number(high)}]",
        "verdict": row["verdict"],
        "champion since": (row["champion_since"] or "-")[:10],
    }


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.4g}"


def _print(answer: Answer, document: dict[str, Any]) -> None:
    from trimtab.cli.table import show_rows

    for model in dict.fromkeys(row["model"] for row in document["versions"]):
        mine = [row for row in document["versions"] if row["model"] == model]
        show_rows(answer, f"{model}: versions and verdicts", [_version(row) for row in mine])
        for row in mine:
            answer.say(f"  v{row['version']} {row['verdict']}: {row['reason']}")
    show_rows(answer, "What monitoring saw", document["findings"])
    show_rows(answer, "Where every row went", document["rows"])
    seconds = document["seconds"]
    first = seconds["first_champion"]
    answer.say(
        f"First champion {f'{first:.0f} s' if first else 'never'} after the first file; "
        f"the whole time {seconds['year']:.0f} s."
    )
    answer.say(
        f"Some task was running in {seconds['work_seconds']:.0f} s of it (work; "
        f"{seconds['tasks']} tasks, {seconds['task_seconds']:.0f} s added up), none in "
        f"{seconds['orchestration_seconds']:.0f} s (orchestration and files coming to rest)."
    )
    for run in document["failed_runs"]:
        answer.say(f"failed run: {run}")
    answer.say(f"Report files: {answer.document['reports']}")
    for name, url in answer.document["urls"].items():
        answer.say(f"{name.capitalize()}: {url}")
