"""Columns and the primary metric in the parts of the rows that the model file names."""

from collections.abc import Iterator

import polars as pl

from trimtab.evaluation import bootstrap, holdout
from trimtab.evaluation.case import Answers
from trimtab.evaluation.slices import Scored
from trimtab.monitoring import performance, profile, runs, slices
from trimtab.monitoring.detect import Comparison
from trimtab.monitoring.null import Null, null
from trimtab.monitoring.slices import Cut, Part, Parts
from trimtab.stages import loading
from trimtab.stages.watch import expected, truth
from trimtab.stages.watch.kept import kept, place
from trimtab.stages.watch.look import Look, kinds
from trimtab.stages.watch.top import top
from trimtab.types import ROLE, GateVerdict
from trimtab.watch import Finding, Signal

FEATURES = 5  # most important ones that are compared in every part


def data(look: Look) -> list[Comparison]:
    """Compare the most important columns in every part."""
    reference = _reference(look)
    found = [_absent(look, "data", name) for name in _lost(look, reference)]
    for part, rows in _parts(look, reference, look.rows):
        if rows.height < look.settings.slice_min_rows:
            found.append(_few(look, "data", part, rows.height))
        elif part.columns:
            measured = profile.measure(rows, part.columns)
            chances = _nulls(look, part, rows)
            found.append(slices.most_moved(part, measured, look.settings, chances))
    return found


def realised(look: Look) -> list[Comparison]:
    """Compare the primary metric of every part with what the version reached there when judged."""
    reference = _reference(look)
    found = [_absent(look, "performance", name) for name in _lost(look, reference)]
    known = truth.judged(look)
    sizes = {part.name: rows.height for part, rows in _parts(look, reference, look.rows)}
    for part, rows in _parts(look, reference, known):
        if part.metric is not None:
            found.append(Comparison(_measured(look, part, rows, sizes[part.name])))
    return found


def _nulls(look: Look, part: Part, rows: pl.DataFrame) -> dict[str, Null]:
    """What chance alone does to a part of this size, by runs of the same part's reference."""
    if part.blocks is None:
        return {}
    span = expected.seconds(rows, look.time)
    return {name: null(part.blocks.of(name), rows.height, span) for name in part.columns}


def _measured(look: Look, part: Part, rows: pl.DataFrame, scored: int) -> Finding:
    name = truth.primary(look)
    finding = performance.measure(
        truth.known(look, rows),
        None,
        metric=truth.metric(look, name),
        name=name,
        gate=_promise(look, part, name),
        settings=look.settings.model_copy(update={"min_rows": look.settings.slice_min_rows}),
        coverage=f"{rows.height:,} of {scored:,} rows with a known label",
        looks=look.looks,
    )
    return finding.model_copy(update={"slice": part.name})


def _promise(look: Look, part: Part, name: str) -> GateVerdict:
    """What the version reached in this part on the rows of its gate."""
    return GateVerdict(
        model=look.candidate.model,
        version=look.candidate.version,
        verdict="PROMOTE",
        reasons=(),
        rules=(),
        primary=name,
        value=part.metric if part.metric is not None else float("nan"),
        interval=part.interval or (float("nan"), float("nan")),
        rows=part.judged,
    )


def _columns(look: Look) -> tuple[str, ...]:
    named = look.settings.slices
    return look.spec.gate.slices if named is None else named


def _parts(look: Look, reference: Parts, rows: pl.DataFrame) -> Iterator[tuple[Part, pl.DataFrame]]:
    names = {
        each.column: each.of(rows[each.column])
        for each in reference.cuts
        if each.column in rows.columns
    }
    for part in reference.parts:
        if part.column in names:
            yield part, rows.filter(names[part.column] == part.value)


def _lost(look: Look, reference: Parts) -> list[str]:
    """Columns whose parts cannot be told on one of the two sides."""
    cuts = {each.column for each in reference.cuts}
    return [n for n in _columns(look) if n not in cuts or n not in look.rows.columns]


def _absent(look: Look, signal: Signal, column: str) -> Comparison:
    side = "scored rows" if column not in look.rows.columns else "rows of this version"
    note = f"the {side} do not hold the column; its parts are watched from the next version on"
    finding = Finding(
        signal=signal, slice=column, statistic="slice", status="not_computable", note=note
    )
    return Comparison(finding)


def _few(look: Look, signal: Signal, part: Part, rows: int) -> Comparison:
    note = f"{rows:,} rows, {look.settings.slice_min_rows:,} wanted"
    finding = Finding(
        signal=signal,
        slice=part.name,
        statistic="slice",
        status="not_enough_data",
        reference_rows=part.rows,
        current_rows=rows,
        note=note,
    )
    return Comparison(finding)


def _reference(look: Look) -> Parts:
    """Cut and count the version's own rows; once, then a file."""
    asked = _columns(look)
    if not asked:
        return Parts(asked=(), cuts=(), parts=())
    path = place(look.env, look.candidate, "slices.json")
    return kept(path, Parts, lambda: _built(look, asked), lambda found: found.asked == asked)


def _built(look: Look, asked: tuple[str, ...]) -> Parts:
    stored = pl.scan_parquet(look.env.lake / look.candidate.features.uri)
    there = [name for name in asked if name in stored.collect_schema().names()]
    rows = stored.filter(pl.col(ROLE) == "train").collect()
    cuts = tuple(slices.cut(name, rows[name]) for name in there)
    scored, held = _scored(look)
    parts = [part for each in cuts for part in _of(look, each, rows, scored, held)]
    return Parts(asked=asked, cuts=cuts, parts=tuple(parts))


def _of(
    look: Look, cut: Cut, rows: pl.DataFrame, scored: Scored | None, held: pl.DataFrame
) -> Iterator[Part]:
    names = cut.of(rows[cut.column])
    there = cut.of(held[cut.column])
    every = kinds(look.candidate.features)
    time = look.time if look.time in rows.columns else None
    first = [n for n in top(look.env, look.candidate, 0) if n in every and n != cut.column]
    for value in slices.largest(names, look.settings.slice_min_rows):
        mine = rows.filter(names == value)
        mask = (there == value).to_numpy()
        columns = profile.build(mine, {name: every[name] for name in first[:FEATURES]})
        told = scored.part(cut.column, value, mask) if scored and mask.sum() > 1 else None
        yield Part(
            column=cut.column,
            value=value,
            rows=mine.height,
            columns=columns,
            blocks=runs.cut(mine, columns, time) if columns else None,
            metric=told.metric if told else None,
            interval=(told.interval.low, told.interval.high) if told else None,
            judged=told.rows if told else 0,
        )


def _scored(look: Look) -> tuple[Scored | None, pl.DataFrame]:
    """The version's answers on its hold-out rows, as its gate saw them."""
    candidate, task = look.candidate, look.candidate.features.task
    stored = pl.scan_parquet(look.env.lake / candidate.features.uri)
    held = stored.filter(pl.col(ROLE) == "holdout").collect()
    dataset = look.env.project.dataset(look.spec.data.from_)
    rows = holdout.read(look.env.lake, candidate.features, dataset.time)
    if len(rows) < 2:
        return None, held
    loaded = loading.load(look.env, candidate)
    classes = [str(label) for label in loaded.classes] if task == "multiclass" else None
    said = Answers(loaded.predict(rows.columns(candidate.features)), classes)
    drawn = bootstrap.plan(
        len(rows), rows.times, None, resamples=200, confidence=0.95, seed=candidate.key
    )
    name = truth.primary(look)
    return Scored(name=name, y=rows.y, challenger=said, champion=None, resampling=drawn), held
