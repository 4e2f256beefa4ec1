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
    """Choose a model, optionally a version or a moment, and say why."""
    return {
        "model": Param(
            models[0] if len(models) == 1 else None,
            type="string",
            enum=list(models),
            title="Model",
            description="The model whose champion is replaced.",
        ),
        "version": Param(
            None,
            type=["null", "integer"],
            minimum=1,
            title="Version",
            description="Go back to this version; empty: to the last approved, not blocked one.",
        ),
        "moment": Param(
            None,
            type=["null", "string"],
            format="date-time",
            title="Moment",
            description="Go back to the version that served then (in place of a version).",
        ),
        "reason": Param(
            type="string",
            minLength=10,
            title="Reason",
            description_md="At least ten letters; goes into the **ledger** with your name.",
        ),
        "override_freeze": Param(
            False,
            type="boolean",
            title="Although changes are frozen",
            description_md="Only matters in a freeze; the **ledger** keeps that you did it.",
        ),
    }


def revert_form(datasets: Sequence[str]) -> dict[str, Param]:
    """Choose a dataset and a version, and say why."""
    return {
        "dataset": Param(
            datasets[0] if len(datasets) == 1 else None,
            type="string",
            enum=list(datasets),
            title="Dataset",
            description="The dataset whose content changes.",
        ),
        "version": Param(
            type="integer",
            minimum=0,
            title="Version",
            description="The version whose content comes back; `trimtab data log` lists them.",
        ),
        "reason": Param(
            type="string",
            minLength=10,
            title="Reason",
            description_md="At least ten letters; goes into the **ledger** with your name.",
        ),
    }


def retention_form(datasets: Sequence[str]) -> dict[str, Param]:
    """Choose how old a version must be, and whether its files are really removed."""
    return {
        "dataset": Param(
            None,
            type=["null", "string"],
            enum=[None, *datasets],
            title="Dataset",
            description="Empty: every dataset.",
        ),
        "keep": Param(
            "30d",
            type="string",
            pattern="^[0-9]+[smhdw]$",
            title="Keep",
            description="Younger versions stay: 30d, 12w.",
        ),
        "apply": Param(
            False,
            type="boolean",
            title="Remove",
            description="Not ticked: only say what would be removed.",
        ),
    }
