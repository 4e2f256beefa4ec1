"""``trimtab run`` and ``trimtab score``: the stages in this process, without Airflow."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from trimtab.cli.answer import Answer, answering
from trimtab.cli.options import Config, Debug, Home, Json, open_project

if TYPE_CHECKING:
    from trimtab.lifecycle import Progress, Report
    from trimtab.types import Record


def run(
    models: Annotated[list[str] | None, typer.Argument(help="Models [default: all].")] = None,
    config: Config = None,
    home: Home = None,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Handle whatever is new: take in files, train, judge, promote, score, monitor."""
    with answering(as_json=json, debug=debug) as answer:
        from rich.markup import escape

        from trimtab import lifecycle

        env = open_project(config, home)
        with answer.console.status("looking for news") as status:
            telling = _telling(answer, status)
            report = lifecycle.run(env, models, telling, lambda text: status.update(escape(text)))
        for problem in env.project.problems:
            report.failed.setdefault(f"config {problem.file}", str(problem))
        _show(answer, report)


def score(
    model: str,
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False)],
    out: Annotated[Path, typer.Option(help="Parquet file for the predictions.")],
    config: Config = None,
    home: Home = None,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Score any CSV or Parquet file with the champion."""
    with answering(as_json=json, debug=debug) as answer:
        from trimtab.stages import score as stage

        env = open_project(config, home)
        answer.document = stage.score_file(env, model, file, out)
        facts = ", ".join(f"{key} {value}" for key, value in answer.document.items())
        answer.say(f"{out}: {facts}")


def _telling(answer: Answer, status: Any) -> "Progress":
    from trimtab.cli import story

    def tell(stage: str, subject: str, record: "Record | None") -> None:
        if record is None:
            status.update(f"{subject}: {stage}")
        elif line := story.of_record(record):
            answer.say(line)

    return tell


def _show(answer: Answer, report: "Report") -> None:
    answer.document = {
        "done": [
            {"stage": stage, "subject": subject, "record": record.to_json()}
            for stage, subject, record in report.done
        ],
        "waiting": report.waiting,
        "failed": report.failed,
        "seconds": {stage: round(seconds, 3) for stage, seconds in report.seconds.items()},
    }
    spent = {stage: seconds for stage, seconds in report.seconds.items() if seconds >= 0.1}
    told = ", ".join(f"{stage} {seconds:.1f} s" for stage, seconds in spent.items())
    answer.say(f"{len(report.done)} result(s). {told}" if report.done else "Nothing new.")
    for who, why in report.failed.items():
        answer.refuse(f"{who}: {why}", kind="run")
