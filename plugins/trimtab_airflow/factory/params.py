"""Fields of the forms by which people start a DAG."""

from collections.abc import Sequence

from airflow.sdk import Param


def train_form() -> dict[str, Param]:
    """Ask for a training that no rule asks for."""
    return {
        "force": Param(
            False,
            type="boolean",
            title="Train without a cause",
            description="Train even when nothing asks for it. The gate judges the result as ever.",
        ),
        "reason": Param(
            "",
            type="string",
            title="Reason",
            description_md="Goes into the **ledger** with your name.",
        ),
    }


def rollback_form(models: Sequence[str]) -> dict[str, Param]:
    """Choose a model, optionally a version, and say why."""
    return {
        "model": Param(
            models[0] if len(models) == 1 else None,
            type="string" if models else "null",
            enum=list(models) or None,
            title="Model",
            description="The model whose champion is replaced.",
        ),
        "version": Param(
            None,
            type=["null", "integer"],
            minimum=1,
            title="Version",
            description="Go back to this version; empty: to the champion before the present one.",
        ),
        "reason": Param(
            type="string",
            minLength=10,
            title="Reason",
            description_md="At least ten letters; goes into the **ledger** with your name.",
        ),
    }
