"""Whether retraining has helped of late. Pure."""

from trimtab.monitoring.history import History, Training
from trimtab.types import GateVerdict

ASKED_BY = {"drift", "performance"}


def in_vain(history: History) -> tuple[Training, ...]:
    """Return the newest retrainings for a loss, or for drift, none of which was a gain.

    A training gained when its version was promoted and its gate is sure that it beats the
    champion on the same rows: the whole interval of the paired difference is above zero. Equal
    models pass a gate of non-inferiority, too, so that being promoted alone proves nothing.
    """
    verdicts = {verdict.version: verdict for verdict in history.gates}
    vain: list[Training] = []
    for training in sorted(history.trainings, key=lambda training: training.version):
        verdict = verdicts.get(training.version)
        if _gained(verdict) or training.causes & {"initial", "manual"}:
            vain = []  # a person's own training is another attempt, whatever came of it
        elif training.causes & ASKED_BY and verdict is not None:
            vain.append(training)
    return tuple(vain)


def _gained(verdict: GateVerdict | None) -> bool:
    if verdict is None or verdict.verdict != "PROMOTE":
        return False
    return verdict.difference is None or verdict.difference[0] > 0
