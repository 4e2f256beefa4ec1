"""What follows from the checks of one file: refuse it, set rows aside, or only say so."""

from dataclasses import dataclass, field

from trimtab.adapters.gx import Checked
from trimtab.types import CheckResult


@dataclass(frozen=True)
class Verdict:
    """``aside`` maps a row's position to the first check it broke."""

    blocked: tuple[str, ...] = ()
    warned: tuple[str, ...] = ()
    aside: dict[int, CheckResult] = field(default_factory=dict)

    @property
    def passed(self) -> bool:
        """Whether the file may be published (without the rows set aside)."""
        return not self.blocked

    @property
    def sentence(self) -> str:
        """Say it in one line."""
        if self.blocked:
            return f"refused by {', '.join(self.blocked)}"
        aside = f"; {len(self.aside)} rows set aside" if self.aside else ""
        warned = f"; warned by {', '.join(self.warned)}" if self.warned else ""
        return f"passed{aside}{warned}"


def decide(checked: Checked, *, rows: int, bad_before: int, max_bad_rows: float) -> Verdict:
    """Decide by severity.

    A check that should quarantine but cannot say which rows it means blocks instead.

    Args:
        checked: what the checks found.
        rows: rows checked.
        bad_before: rows of the file that were set aside before.
        max_bad_rows: share of all the file's rows that may be bad.
    """
    failed = [(i, item) for i, item in enumerate(checked.results) if not item.success]
    blocked = [
        label(item)
        for i, item in failed
        if item.severity == "block" or (item.severity == "quarantine" and not checked.rows.get(i))
    ]
    warned = [label(item) for _, item in failed if item.severity == "warn"]
    aside: dict[int, CheckResult] = {}
    for i, item in failed:
        for position in checked.rows.get(i, ()):
            aside.setdefault(position, item)
    if len(aside) == rows:
        blocked.append("no_rows: no row passes every check")
    elif aside and len(aside) + bad_before > max_bad_rows * (rows + bad_before):
        bad = f"{len(aside) + bad_before} of {rows + bad_before} rows are bad"
        blocked.append(f"too_many_bad_rows: {bad}, {max_bad_rows:.1%} are allowed")
    return Verdict(tuple(blocked), tuple(warned), {} if blocked else aside)


def label(result: CheckResult) -> str:
    """Name a check the way people speak of it: ``expectation(column)``."""
    return f"{result.expectation}({result.column})" if result.column else result.expectation
