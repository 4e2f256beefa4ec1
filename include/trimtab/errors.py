"""One exception family. An error says where, what, and what to do; facts are attributes."""

from collections.abc import Sequence
from dataclasses import dataclass


class TrimtabError(Exception):
    """Base of every error trimtab raises on purpose. ``retryable`` tells Airflow what to do."""

    retryable = False


@dataclass(frozen=True)
class Problem:
    """One thing wrong in one place of one configuration file."""

    file: str
    line: int
    key: str
    message: str
    fix: str = ""

    def __str__(self) -> str:
        """``file:line: key: message (fix)``, the form editors and terminals make clickable."""
        fix = f" Fix: {self.fix}" if self.fix else ""
        return f"{self.file}:{self.line}: {self.key}: {self.message}{fix}"


class ConfigError(TrimtabError):
    """Configuration that cannot be used; lists every problem at once."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        lines = "\n".join(f"  {problem}" for problem in self.problems)
        super().__init__(f"{len(self.problems)} problem(s) in the configuration:\n{lines}")


class DataError(TrimtabError):
    """Data that breaks its contract. A retry reads the same bytes, so it never helps."""


class NotReadyError(TrimtabError):
    """There is nothing to do yet; says what is being waited for. Not a failure."""


class LedgerConflictError(TrimtabError):
    """Somebody else decided first (compare-and-swap lost). Look again before trying again."""


class GateRefusedError(TrimtabError):
    """A version may not pass: the gate, an approver or a rollback said no. A retry cannot help."""


class NotAllowedError(TrimtabError):
    """This person may not decide this; says who may."""


class IntegrityError(TrimtabError):
    """Bytes are not what the ledger says they are, or a model file holds a type we do not allow."""


class AdditivityError(TrimtabError):
    """Contributions that do not sum to a model's score; to show them would mislead."""


class DependencyError(TrimtabError):
    """A database, store or tracking server did not answer. Worth a retry with back-off."""

    retryable = True
