"""Remove files that no kept version of a dataset needs."""

from typing import TYPE_CHECKING, Any

from trimtab_airflow.operators.base import StageOperator, flag, starter

if TYPE_CHECKING:
    from airflow.sdk import Context

    from trimtab.environment import Environment


class RetentionOperator(StageOperator):
    """List, and with ``apply`` remove, what no kept version needs; the ledger keeps every name.

    Args:
        dataset: name of the dataset; every one that has a table when empty.
        apply: remove the files; only say which ones otherwise.
        keep: younger versions stay, as in ``30d``.
    """

    template_fields = ("dataset", "apply", "keep")

    def __init__(
        self, *, dataset: str = "", apply: bool | str = False, keep: str = "30d", **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.dataset = dataset
        self.apply = apply
        self.keep = keep

    def stage(self, env: "Environment", context: "Context") -> list[dict[str, Any]]:
        """Return what was, or could be, removed of each dataset: numbers, not names."""
        from trimtab.adapters import delta
        from trimtab.config.spec import parse_duration
        from trimtab.stages.retention import retention

        names = [self.dataset] if self.dataset else list(env.project.datasets)
        told = []
        for name in names:
            if not delta.exists(env.table(name)):
                continue
            found = retention(
                env,
                name,
                keep=parse_duration(self.keep),
                apply=flag(self.apply),
                actor=starter(context),
            )
            for file in found.files:
                self.log.info("  %s", file)
            told.append(
                {
                    **found.to_json(include={"dataset", "bytes", "versions", "kept"}),
                    "files": len(found.files),
                }
            )
        return told
