"""Judge one landed file by its content."""

from typing import TYPE_CHECKING, Any

from trimtab_airflow.operators.base import StageOperator

if TYPE_CHECKING:
    from airflow.sdk import Context

    from trimtab.environment import Environment


class IngestOperator(StageOperator):
    """Stage a file's good rows, quarantine the rest; a refused file is a message, not a red run.

    Args:
        file: record of the landed file, as `DiscoverOperator` returns it.
    """

    template_fields = ("file",)

    def __init__(self, *, file: dict[str, Any], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.file = file

    def stage(self, env: "Environment", context: "Context") -> dict[str, Any]:
        """Return the verdict."""
        from trimtab.stages.ingest import ingest
        from trimtab.types import LandedFile

        file = LandedFile.model_validate(self.file)
        context["file_and_verdict"] = file.name  # type: ignore[typeddict-unknown-key]
        verdict = ingest(env, file)
        context["file_and_verdict"] = f"{file.name}: {verdict.verdict}"  # type: ignore[typeddict-unknown-key]
        self.log.info(
            "%s: %s (%s), %d of %d rows accepted, quarantined %s",
            file.name,
            verdict.verdict,
            verdict.reason,
            verdict.rows_accepted,
            verdict.rows_read,
            verdict.quarantined or "none",
        )
        return verdict.to_json()
