"""Give a dataset the content of an earlier version again."""

from typing import TYPE_CHECKING, Any

from trimtab_airflow.operators.base import StageOperator, number, starter

if TYPE_CHECKING:
    from airflow.sdk import Context

    from trimtab.environment import Environment


class RevertOperator(StageOperator):
    """Make a new version with the content of an old one; tells who did it and why.

    Args:
        dataset: name of the dataset.
        version: the version whose content comes back.
        reason: why, for the ledger.
    """

    template_fields = ("dataset", "version", "reason")

    def __init__(self, *, dataset: str, version: int | str, reason: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.dataset = dataset
        self.version = version
        self.reason = reason

    def stage(self, env: "Environment", context: "Context") -> dict[str, Any]:
        """Return the version made."""
        from trimtab.stages.revert import revert

        made = revert(
            env,
            self.dataset,
            number(self.version),
            reason=self.reason,
            actor=starter(context),
        )
        self.log.info("%s: version %d, %d rows", self.dataset, made.version, made.total_rows)
        return made.to_json()
