"""Buttons on a task that lead to its evidence. Airflow asks for them in the worker, at the end."""

import os
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseOperatorLink

if TYPE_CHECKING:
    from airflow.sdk import BaseOperator


def report_url(page: str | None) -> str:
    """Address of a page under lake/reports, or of their index."""
    base = os.environ.get("TRIMTAB_REPORTS_URL", "/trimtab/reports").rstrip("/")
    return f"{base}/{page}" if page else f"{base}/"


def absolute(address: str) -> str:
    """Put Airflow's own address before a path of it, for readers that are elsewhere."""
    if not address.startswith("/"):
        return address
    from airflow.sdk.configuration import conf

    return conf.get("api", "base_url", fallback="").rstrip("/") + address


class ReportLink(BaseOperatorLink):
    """The page the stage wrote: Data Docs, gate report, model card, monitoring report."""

    name = "Report"

    def get_link(self, operator: "BaseOperator", *, ti_key: Any) -> str:
        """Return the address of the page, or of all pages when the stage wrote none."""
        return report_url(getattr(operator, "report", None))


class ResultLink(BaseOperatorLink):
    """Great Expectations' JSON, beside the Data Docs page of the same validation."""

    name = "Great Expectations JSON"

    def get_link(self, operator: "BaseOperator", *, ti_key: Any) -> str:
        """Return the address of the JSON; empty when no file was validated."""
        page = getattr(operator, "report", None)
        return report_url(f"{page.rpartition('/')[0]}/validation.json") if page else ""


class MlflowLink(BaseOperatorLink):
    """The MLflow run of the stage."""

    name = "MLflow"

    def get_link(self, operator: "BaseOperator", *, ti_key: Any) -> str:
        """Return the address of the run, or of MLflow; empty when nobody said where it is."""
        base = os.environ.get("TRIMTAB_MLFLOW_URL", "").rstrip("/")
        run = getattr(operator, "run_id", None)
        return f"{base}/#/runs/{run}" if base and run else base
