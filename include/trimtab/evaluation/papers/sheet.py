"""The data sheet: what a version learnt from, by the questions of Gebru et al.

Source: Gebru et al., Datasheets for Datasets, Communications of the ACM 64 (12), 2021.
"""

from collections import Counter
from typing import Any

from trimtab.config.dataset import Column
from trimtab.evaluation.papers.facts import Facts, File, Source


def sheet(facts: Facts) -> dict[str, Any]:
    """Return the sheet as plain values; rows and bytes are counts, times are in UTC."""
    return {
        "model": facts.candidate.model,
        "version": facts.candidate.version,
        "motivation": _motivation(facts),
        "composition": {**_rows(facts), "datasets": [_dataset(each) for each in facts.sources]},
        "collection": [_collection(each) for each in facts.sources],
        "preprocessing": _preprocessing(facts),
        "uses": {"limits": facts.spec.limits or None, "columns_never_used": _unused(facts)},
        "distribution": "Rows stay in the lake; a dossier holds none of them.",
        "maintenance": {
            each.spec.dataset: {"owner": each.spec.owner, "looked_for": each.spec.sweep}
            for each in facts.sources
        },
    }


def _motivation(facts: Facts) -> dict[str, Any]:
    target = facts.recorded.target
    return {
        "purpose": facts.spec.purpose,
        "owner": facts.spec.owner,
        "predicts": target.model_dump(mode="json", exclude_none=True),
        "task": facts.candidate.features.task,
    }


def _rows(facts: Facts) -> dict[str, Any]:
    features = facts.candidate.features
    return {
        "rows": {
            "train": features.train_rows,
            "holdout": features.holdout_rows,
            "without_label": features.unlabelled,
        },
        "period": {
            "holdout_from": _moment(features.train_until),
            "holdout_until": _moment(features.holdout_until),
        },
        "features": {
            "numeric": list(features.numeric),
            "categorical": list(features.categorical),
            "temporal": list(features.temporal),
            "textual": list(features.textual),
        },
        "rows_sha256": features.sha256,
    }


def _dataset(source: Source) -> dict[str, Any]:
    spec, made = source.spec, source.made
    return {
        "dataset": spec.dataset,
        "version": made.version,
        "description": spec.description or None,
        "owner": spec.owner,
        "rows": made.total_rows,
        "newest": _moment(made.newest),
        "content": made.content,
        "key": list(spec.key),
        "time": spec.time,
        "columns": {name: _column(column) for name, column in spec.columns.items()},
        "table_files": dict(source.content.get("files", {})),
    }


def _column(column: Column) -> dict[str, Any]:
    return column.model_dump(mode="json", exclude_defaults=True) | {"type": column.type}


def _collection(source: Source) -> dict[str, Any]:
    """Where the rows came from, file by file, and what was kept out."""
    aside: Counter[str] = Counter()
    for file in source.files:
        aside.update(file.set_aside)
    return {
        "dataset": source.spec.dataset,
        "source": source.spec.source.place,
        "kind": source.spec.source.kind,
        "files": [_file(file) for file in source.files],
        "files_refused": source.refused,
        "rows_set_aside": dict(sorted(aside.items())),
    }


def _file(file: File) -> dict[str, Any]:
    found, verdict = file.published, file.verdict
    return {
        "name": found.name,
        "sha256": found.sha256,
        "since_version": found.version,
        "rows_read": verdict.rows_read if verdict else None,
        "rows_published": found.rows,
        "set_aside": dict(file.set_aside),
        "checks_warned": list(file.validation.warned) if file.validation else [],
    }


def _preprocessing(facts: Facts) -> dict[str, Any]:
    spec = facts.recorded
    return {
        "contract": {each.spec.dataset: _checks(each) for each in facts.sources},
        "joins": [join.model_dump(mode="json", exclude_none=True) for join in spec.data.join],
        "views": [use.model_dump(mode="json", exclude_none=True) for use in spec.data.views],
        "derived": sorted(spec.features.derive),
        "split": spec.split.model_dump(mode="json", exclude_none=True),
        "labels": f"column {spec.target.column} of {spec.data.from_}, as it was delivered",
    }


def _checks(source: Source) -> list[dict[str, Any]]:
    return [check.model_dump(mode="json") for check in source.spec.checks]


def _unused(facts: Facts) -> list[str]:
    """Columns of the model's own dataset that are no feature of it."""
    main = next(s for s in facts.sources if s.spec.dataset == facts.recorded.data.from_)
    return sorted(set(main.spec.columns) - set(facts.candidate.features.features))


def _moment(value: Any) -> str | None:
    return value.isoformat() if value else None
