"""The order in which things are looked at."""

from collections.abc import Iterator
from pathlib import Path

from trimtab.adapters.store import open_store
from trimtab.config import Project, load_project
from trimtab.environment import Environment, open_environment, store_address
from trimtab.paths import default_environment
from trimtab.platform.doctor import places, store
from trimtab.platform.doctor.finding import Finding, judged, ok, tried
from trimtab.platform.doctor.versions import versions


def examine(home: Path, config: Path) -> Iterator[Finding]:
    """Probe every configured place; leaves nothing behind."""
    project = load_project(config, default_environment())
    yield _configuration(project)
    yield from tried("libraries", lambda: versions(project), "install trimtab again")
    env: Environment | None = None
    try:
        env = open_environment(home=home, config=config)
    except Exception as error:  # a driver that is missing, a port that is no number
        cure = "start it, or correct 'ledger' in the environment file or TRIMTAB_LEDGER"
        yield judged("ledger", False, (str(error) or type(error).__name__).splitlines()[0], cure)
    yield from tried("store", lambda: _store(project, home), "correct 'store'")
    if env is not None:
        yield from places.ledger(env)
        yield from places.anchors(env)
        yield from places.mlflow(env)
        yield from places.online(env)
        yield from places.space(env)
        yield from places.sources(env)


def _store(project: Project, home: Path) -> Iterator[Finding]:
    yield from store.examined(open_store(store_address(project.environment, home)))


def _configuration(project: Project) -> Finding:
    counts = f"{len(project.datasets)} datasets and {len(project.models)} models can be used"
    if not project.problems:
        return ok("configuration", f"{project.folder}: {counts}")
    text = f"{project.folder}: {len(project.problems)} problem(s), {counts}"
    return judged("configuration", False, text, "'trimtab check' lists them", otherwise="warn")
