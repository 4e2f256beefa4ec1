"""A fresh champion against the version it followed, on labels that neither has seen."""

import logging
from dataclasses import replace

import numpy as np
import polars as pl

from trimtab.environment import Environment
from trimtab.errors import TrimtabError
from trimtab.ledger import blocks as blocked
from trimtab.ledger import champion, versions
from trimtab.monitoring import versus as paired
from trimtab.monitoring.detect import Comparison
from trimtab.stages import loading
from trimtab.stages.watch import truth
from trimtab.stages.watch.look import Look
from trimtab.types import FILE, ROLE, ROW, Candidate
from trimtab.watch import Finding

log = logging.getLogger(__name__)
FRESH = 10  # windows of a champion in which its predecessor could still take over


def versus(look: Look) -> list[Comparison]:
    """Compare while the champion is fresh; nothing when there is no version to go back to."""
    before = _predecessor(look.env, look.spec.model, look.scoring.version)
    served = sum(seen.version == look.scoring.version for seen in look.history)
    if before is None or served >= FRESH:
        return []
    try:
        earlier = versions.candidate(look.env.ledger, look.spec.model, before)
        return [Comparison(_compared(look, earlier))]
    except TrimtabError as error:  # its files are gone, for example: the champion is judged alone
        log.warning("%s: version %s cannot be compared with: %s", look.spec.model, before, error)
        return []


def _predecessor(env: Environment, model: str, version: int) -> int | None:
    """The version that served before, unless it must not serve or the way here was a rollback."""
    changes = [each for each in champion.history(env.ledger, model) if each.version == version]
    if not changes or changes[-1].action != "promote" or changes[-1].previous is None:
        return None
    before = changes[-1].previous
    return None if before in blocked.standing(env.ledger, model) else before


def _compared(look: Look, before: Candidate) -> Finding:
    rows = _unseen(look, before, truth.judged(look))
    wanted = [name for name in before.features.features if name in rows.columns]
    name, now = truth.primary(look), truth.known(look, rows)
    found = Finding(
        signal="performance",
        statistic=f"{name} versus version {before.version}",
        status="not_computable",
        against=before.version,
    )
    if len(wanted) < len(before.features.features):
        note = "the scored rows do not have all of its features any more"
        return found.model_copy(update={"note": note})
    if not rows.height:
        note = "no row with a label that neither version has seen"
        return found.model_copy(update={"status": "not_enough_data", "note": note})
    loaded = loading.load(look.env, before)
    named = truth.classes(look)
    if named is not None and tuple(map(str, loaded.classes)) != named:
        return found.model_copy(update={"note": "it knows other classes"})
    given = np.asarray(loaded.predict(rows.to_pandas()), dtype=float)
    finding = paired.compare(
        now,
        replace(now, prediction=given),
        metric=truth.metric(look, name),
        name=name,
        version=before.version,
        settings=look.settings,
    )
    chance = None if finding.p_value is None else min(finding.p_value * look.looks, 1.0)
    return finding.model_copy(update={"p_value": chance})


def _unseen(look: Look, before: Candidate, rows: pl.DataFrame) -> pl.DataFrame:
    """Without the rows that the predecessor was trained on."""
    stored = pl.scan_parquet(look.env.lake / before.features.uri)
    mine = stored.filter(pl.col(ROLE) == "train", pl.col(FILE) == look.scoring.sha256)
    return rows.join(mine.select(ROW).collect(), on=ROW, how="anti", maintain_order="left")
