"""What follows from the checks of one file: refuse it, set rows aside, or only say so."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from trimtab.types import CheckResult


@dataclass(frozen=True)
class Verdict:
    """``aside`` counts the rows that are set aside; the others go on when it ``passed``."""

    blocked: tuple[str, ...] = ()
    warned: tuple[str, ...] = ()
    aside: int = 0

    @property
    def passed(self) -> bool:
        """Whether the file may be published (without the rows set aside)."""
        return not self.blocked

    @property
    def sentence(self) -> str:
        """Say it in one line."""
        if self.blocked:
            return f"refused by {', '.join(self.blocked)}"
        aside = f"; {self.aside} rows set aside" if self.aside else ""
        warned = f"; warned by {', '.join(self.warned)}" if self.warned else ""
        return f"passed{aside}{warned}"


def decide(
    results: Sequence[CheckResult],
    *,
    rows: int,
    aside: int,
    located: Collection[int],
    bad_before: int,
    max_bad_rows: float,
) -> Verdict:
    """Decide by severity.

    A check that should quarantine but cannot say which rows it means blocks instead.

    Args:
        results: what the checks found, in their order.
        rows: rows checked.
        aside: rows that broke a check that quarantines.
        located: positions of the checks that could say which rows they mean.
        bad_before: rows of the file that were set aside before.
        max_bad_rows: share of all the file's rows that may be bad.
    """
    failed = [(i, item) for i, item in enumerate(results) if not item.success]
    blocked = [
        label(item)
        for i, item in failed
        if item.severity == "block" or (item.severity == "quarantine" and i not in located)
    ]
    warned = tuple(label(item) for _, item in failed if item.severity == "warn")
    if aside and aside == rows:
        blocked.append("no_rows: no row passes every check")
    elif aside and aside + bad_before > max_bad_rows * (rows + bad_before):
        bad = f"{aside + bad_before} of {rows + bad_before} rows are bad"
        blocked.append(f"too_many_bad_rows: {bad}, {max_bad_rows:.1%} are allowed")
    return Verdict(tuple(blocked), warned, 0 if blocked else aside)


def label(result: CheckResult) -> str:
    """Name a check the way people speak of it: ``expectation(column)``."""
    return f"{result.expectation}({result.column})" if result.column else result.expectation
