"""``trimtab up`` and ``trimtab down``: the embedded platform."""

import signal
from pathlib import Path
from typing import TYPE_CHECKING

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

if TYPE_CHECKING:
    from trimtab.platform.state import State
    from trimtab.platform.supervisor import Supervisor


def up(
    airflow_port: AirflowPort = None,
    mlflow_port: MlflowPort = None,
    project: Project = None,
    config: Config = None,
    home: Home = None,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Start PostgreSQL, Airflow and MLflow, and keep them running until Ctrl-C."""
    with answering(as_json=json, debug=debug) as answer:
        from trimtab.platform import state

        folder = home_folder(home)
        if there := state.running(folder):
            show(answer, there)
            word = "running" if there.healthy else "starting"
            answer.say(f"Already {word}; 'trimtab down' stops it.")
            return
        supervisor = new_supervisor(answer, folder, config_folder(config), project)
        with state.held(folder):
            _serve(answer, supervisor, {"airflow": airflow_port, "mlflow": mlflow_port})


def down(home: Home = None, json: Json = False, debug: Debug = False) -> None:
    """Stop the platform, also what a killed 'trimtab up' left behind."""
    with answering(as_json=json, debug=debug) as answer:
        from trimtab.platform import supervisor

        ran, killed = supervisor.down(home_folder(home))
        answer.document = {"stopped": ran, "killed": killed}
        answer.say("Stopped." if ran else "Nothing was running.")


def new_supervisor(answer: Answer, home: Path, config: Path, project: Path | None) -> "Supervisor":
    """Make the supervisor of a home folder; lines about restarts go to the console."""
    from trimtab.platform.supervisor import Supervisor

    return Supervisor(home, config, project or config.parent, say=answer.say)


def listen(supervisor: "Supervisor") -> None:
    """Let Ctrl-C, SIGTERM and SIGHUP ask the supervisor to stop."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: supervisor.stopping.set())


def show(answer: Answer, state: "State") -> None:
    """Say where everything is."""
    answer.document = state.model_dump(mode="json")
    answer.say(f"Airflow  {state.urls['airflow']}")
    answer.say(f"MLflow   {state.urls['mlflow']}")
    answer.say(f"Reports  {state.urls['airflow']}/trimtab/reports/")


def _serve(answer: Answer, supervisor: "Supervisor", ports: dict[str, int | None]) -> None:
    from trimtab.platform.supervisor import StoppedError

    listen(supervisor)
    answer.say(f"Starting the platform of {supervisor.home} (logs: {supervisor.home / 'logs'})")
    try:
        started = supervisor.start(ports)
        show(answer, started)
        answer.say(
            f"Up after {started.seconds['healthy']:.0f} s. Ctrl-C or 'trimtab down' stops it."
        )
        supervisor.watch()
    except StoppedError:
        answer.say("Told to stop while starting.")
    finally:
        answer.say("Stopping …")
        supervisor.stop()
    if supervisor.failure:
        answer.refuse(supervisor.failure, kind="platform")
