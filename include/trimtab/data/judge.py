"""The verdict on one file: a function of its bytes and its contract."""

from dataclasses import dataclass, field
from pathlib import PurePath

import polars as pl

from trimtab.config import DatasetSpec
from trimtab.data import cast, keys, text
from trimtab.data.cast import COLUMN, FINDINGS, REASON
from trimtab.data.extra import widened
from trimtab.data.reasons import AcceptReason, FileReason, RefusedFileError, RowReason
from trimtab.types import FILE, PARTITION, ROW

_PERIODS = {"day": "%Y-%m-%d", "month": "%Y-%m"}


@dataclass(frozen=True)
class Judgement:
    """What a file holds. ``reason`` is 'ok' when its good rows may go on."""

    reason: str
    detail: str = ""
    rows_read: int = 0
    good: pl.DataFrame = field(default_factory=pl.DataFrame)  # contract types + system columns
    bad: pl.DataFrame = field(default_factory=pl.DataFrame)  # as text, with _reason and _column

    @property
    def accepted(self) -> bool:
        """Whether the good rows may go on."""
        return self.reason == AcceptReason.OK

    @property
    def quarantined(self) -> dict[str, int]:
        """Rows by reason; the good rows of a refused file are counted under the file's reason."""
        counts = (
            dict(self.bad[REASON].value_counts().sort(REASON).iter_rows())
            if self.bad.height
            else {}
        )
        if not self.accepted and self.good.height:
            counts[self.reason] = self.good.height
        return counts


def judge(
    data: bytes,
    spec: DatasetSpec,
    *,
    name: str,
    sha256: str,
) -> Judgement:
    """Judge the bytes of one file by its contract alone; publishing looks at the table."""
    try:
        found = text.read(data, spec)
    except RefusedFileError as refused:
        return Judgement(str(refused.reason), refused.detail)
    spec = widened(spec, found.rows.columns)
    good, findings = cast.cast(found.rows, spec)
    good = good.with_columns(*_system_columns(spec, name, sha256))
    more = keys.repeated(good, spec)
    good = good.join(more, on=ROW, how="anti", maintain_order="left")
    findings = pl.concat([findings, more])
    return _decide(found, good, _with_text(found, findings), spec)


def _decide(
    found: text.Text, good: pl.DataFrame, bad: pl.DataFrame, spec: DatasetSpec
) -> Judgement:
    reason: str = AcceptReason.OK
    if bad.height > spec.max_bad_rows * found.count:
        reason = FileReason.TOO_MANY_BAD_ROWS
    elif good.is_empty():
        reason = FileReason.NO_ROWS
    judgement = Judgement(str(reason), "", found.count, good, bad)
    if judgement.accepted:
        return judgement
    return Judgement(str(reason), _explain(judgement, spec), found.count, good, bad)


def _explain(judgement: Judgement, spec: DatasetSpec) -> str:
    worst = (
        judgement.bad.group_by(REASON, COLUMN).len().sort("len", REASON, COLUMN, descending=True)
    )
    listed = ", ".join(
        f"{count} {reason}" + (f" in {column}" if column else "")
        for reason, column, count in worst.head(5).iter_rows()
    )
    return (
        f"{judgement.bad.height} of {judgement.rows_read} rows are bad ({listed}); "
        f"{spec.dataset} allows {spec.max_bad_rows:.1%}"
    )


def _with_text(found: text.Text, findings: pl.DataFrame) -> pl.DataFrame:
    ragged = found.ragged.with_columns(
        pl.lit(str(RowReason.RAGGED_ROW)).alias(REASON), pl.lit(None, pl.String).alias(COLUMN)
    )
    told = found.rows.join(findings.select(*FINDINGS), on=ROW, how="inner")
    return pl.concat([told, ragged], how="diagonal").sort(ROW)


def _system_columns(spec: DatasetSpec, name: str, sha256: str) -> tuple[pl.Expr, pl.Expr]:
    if spec.partition == "file" or spec.time is None:
        partition = pl.lit(PurePath(name).stem)
    else:
        partition = pl.col(spec.time).dt.strftime(_PERIODS[spec.partition])
    return pl.lit(sha256).alias(FILE), partition.alias(PARTITION)
