"""What a person reads before answering for a version, in the Markdown that Airflow's form shows."""

from collections.abc import Sequence

from trimtab.config import ModelSpec
from trimtab.evaluation import pages
from trimtab.types import GateVerdict, Question

_SLICES = 5  # the worst ones; the gate report shows all


def markdown(
    spec: ModelSpec,
    question: Question,
    verdict: GateVerdict | None,
    *,
    report: str,
    people: Sequence[str],
    first: tuple[str, str] | None = None,
) -> str:
    """Return verdict, reasons, figures and rules; whatever comes from data stays text.

    Airflow's form takes Markdown with tables and leaves HTML out.

    Args:
        spec: the model file.
        question: who is asked, until when.
        verdict: what the gate says.
        report: address of the folder or server below which the gate report lies.
        people: whose yes still counts, where people are listed.
        first: who has said yes of four eyes, and why.
    """
    page = report.rstrip("/") + f"/{verdict.report}" if verdict and verdict.report else report
    worst = sorted(verdict.slices if verdict else (), key=lambda part: _value(part["metric"]))
    return pages.render(
        "question.md.j2",
        spec=spec,
        question=question,
        verdict=verdict,
        rules=sorted(verdict.rules, key=lambda rule: rule.passed) if verdict else (),
        slices=worst[:_SLICES],
        people=people,
        first=first,
        report=page,
    ).strip()


def _value(metric: float | None) -> float:
    return metric if metric is not None else float("-inf")
