"""Check accepted files against the contract."""

from typing import TYPE_CHECKING, Any

from trimtab_airflow.links import MlflowLink, ReportLink, ResultLink
from trimtab_airflow.operators.base import StageOperator

if TYPE_CHECKING:
    from airflow.sdk import Context

    from trimtab.environment import Environment
    from trimtab.types import Validation


class ValidateOperator(StageOperator):
    """Validate every accepted file that was not validated yet, of this run or an earlier one.

    A file that breaks a blocking check is announced and not published; the others go on.

    Args:
        dataset: name of the dataset.
    """

    template_fields = ("dataset",)
    operator_extra_links = (ReportLink(), ResultLink(), MlflowLink())

    def __init__(self, *, dataset: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.dataset = dataset

    def stage(self, env: "Environment", context: "Context") -> list[dict[str, Any]]:
        """Return a summary per file; the full results are in the ledger and in Data Docs."""
        from trimtab.stages.backlog import unvalidated
        from trimtab.stages.validate import validate

        done = [validate(env, self.dataset, sha) for sha in unvalidated(env, self.dataset)]
        for validation in done:
            self._report(validation)
        self.report = next((v.docs for v in done if not v.passed), done[-1].docs if done else None)
        return [v.to_json(exclude={"results"}) for v in done]

    def _report(self, validation: "Validation") -> None:
        verdict = "passed" if validation.passed else "blocked"
        self.log.info(
            "%s %s: %s; blocked by %s, warnings %s, %d rows quarantined",
            self.dataset,
            validation.sha256[:12],
            verdict,
            list(validation.blocked) or "nothing",
            list(validation.warned) or "none",
            validation.quarantined,
        )
