"""The things a person should look at, the most important ones first."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from trimtab.association import MEASURES
from trimtab.profiling.association import STRONG
from trimtab.profiling.columns import CATEGORIES, PERHAPS_NULL
from trimtab.profiling.profile import Profile

Tone = Literal["bad", "warn", "note"]
_RANK = {"bad": 0, "warn": 1, "note": 2}
SMALL = 500  # rows below which a gate can tell little
MISSING = 0.2  # share of gaps worth a word
SHOWN = 8  # names in one sentence


@dataclass(frozen=True)
class Finding:
    """One thing to look at: what it is, and what to do about it."""

    tone: Tone
    text: str
    action: str


def find(profile: Profile) -> list[Finding]:
    """Return every finding; those that can spoil a model or a table stand first."""
    found = [
        *_leaks(profile),
        *_rows(profile),
        *_times(profile),
        *_target(profile),
        *_columns(profile),
        *_drift(profile),
    ]
    return sorted(found, key=lambda finding: _RANK[finding.tone])


def _leaks(profile: Profile) -> Iterator[Finding]:
    for leak in profile.leaks:
        yield Finding(
            "bad",
            f"{leak.column} may know the answer: {leak.why}.",
            "It is left out; let it in (features.exclude) only if it is known when predicting.",
        )

    told = {leak.column for leak in profile.leaks}
    limit = STRONG[profile.target.task]
    for found in profile.ranked[:3]:
        if found.score >= limit and found.column not in told:
            yield Finding(
                "warn",
                f"{found.column} alone tells much: "
                f"{MEASURES[profile.target.task]} {found.score:.3f}.",
                "Is it known when the prediction is needed? If not, set known_after on it.",
            )


def _rows(profile: Profile) -> Iterator[Finding]:
    keys, table = profile.keys, profile.table
    if table.ragged_count:
        at, what = table.ragged[0]
        yield Finding(
            "bad",
            f"{table.ragged_count:,} row(s) do not fit the header; row {at} {what}.",
            "They will be set aside; quote cells that hold the delimiter.",
        )
    odd = [column for column in profile.columns if column.odd_count]
    for column in odd:
        shown = ", ".join(repr(text) for text in list(column.odd)[:3])
        yield Finding(
            "warn",
            f"{column.odd_count:,} row(s) of {column.name} are no {column.type}: {shown}.",
            "They will be set aside; correct them, or name the text in source.null_values.",
        )
    if keys.content:
        yield Finding(
            "warn",
            "No columns identify a row.",
            "All columns together are the key, so a corrected row comes in as a new one; "
            "let the source deliver an identifier.",
        )
    if keys.duplicates:
        yield Finding(
            "warn",
            f"{keys.duplicates:,} rows repeat another row in every column.",
            "One of each comes in; ask the source whether they are one event or several.",
        )


def _times(profile: Profile) -> Iterator[Finding]:
    if profile.naive:
        yield Finding(
            "warn",
            f"{_listed(profile.naive)}: times without a zone.",
            "They stay text and are no features; write 2026-01-31T09:00:00Z, then say type: time.",
        )
    if profile.time is None:
        yield Finding(
            "note",
            "There is no event time, so the hold-out is drawn by key.",
            "With one, the newest rows would judge the model, as life will.",
        )


def _target(profile: Profile) -> Iterator[Finding]:
    target, rows = profile.target, profile.rows.height
    if target.rare and target.share is not None:
        yield Finding(
            "warn",
            f"Only {target.share:.2%} of the rows are positive.",
            "The gate judges by average precision; ROC AUC flatters here.",
        )
    elif target.task == "multiclass" and (target.share or 0) > 0.9:
        yield Finding(
            "warn",
            f"{target.share:.1%} of the rows are of one class.",
            "Accuracy says little then; choose f1_macro as gate.primary.",
        )
    if missing := target.column.missing:
        yield Finding(
            "note",
            f"{missing:,} rows have no {target.column.name}.",
            "They are kept in the table and left out of training.",
        )
    if rows < SMALL:
        yield Finding(
            "warn", f"There are {rows:,} rows.", "Every number here, and the gate's, is rough."
        )
    if profile.sorted_by_target:
        yield Finding(
            "warn",
            f"The file is sorted by {target.column.name}.",
            "Its order says nothing about time, so no drift is shown.",
        )


def _columns(profile: Profile) -> Iterator[Finding]:
    rows = profile.rows.height
    empty = [c for c in profile.columns if c.missing > MISSING * rows]
    if empty:
        told = [
            f"{c.name} ({c.missing / rows:.0%})" for c in sorted(empty, key=lambda c: -c.missing)
        ]
        yield Finding("warn", f"Often missing: {_listed(told)}.", "Ask why before filling them.")
    if formulas := [c for c in profile.columns if c.formulas]:
        yield Finding(
            "warn",
            f"Cells begin like a spreadsheet formula: {_listed([c.name for c in formulas])}.",
            "They are set aside unless limits.formulas is true.",
        )
    if codes := [
        c for c in profile.columns if c.type in ("text", "category") and _codes(c.markers)
    ]:
        told = [f"{c.name} ({', '.join(_codes(c.markers))})" for c in codes]
        yield Finding(
            "warn",
            f"Read as no value because a number column says so: {_listed(told)}.",
            "If it is a word there (NA is Namibia), let the source leave missing cells empty.",
        )
    if constant := [c.name for c in profile.columns if c.constant]:
        yield Finding("note", f"One value only: {_listed(constant)}.", "They are no features.")
    wide = [c.name for c in profile.columns if c.type == "text" and not c.naive_time]
    wide = [name for name in wide if name not in profile.keys.chosen]
    if wide:
        yield Finding(
            "note",
            f"Text, so no feature: {_listed(wide)}.",
            f"A category has at most {CATEGORIES:,} values; group them at the source to use them.",
        )


def _codes(markers: dict[str, int]) -> list[str]:
    return [text for text in markers if text in PERHAPS_NULL]


def _drift(profile: Profile) -> Iterator[Finding]:
    moved = [drift for drift in profile.drifts if drift.moved]
    if moved:
        told = [f"{drift.column} (PSI {drift.psi:.2f})" for drift in moved]
        yield Finding(
            "warn" if profile.time else "note",
            f"First and last third by {profile.order} differ: {_listed(told)}.",
            "See the plots; a model learned on the first part meets another world in the last.",
        )


def _listed(names: list[str] | tuple[str, ...]) -> str:
    rest = len(names) - SHOWN
    return ", ".join(names[:SHOWN]) + (f" and {rest} more" if rest > 0 else "")
