"""Packages that were tampered with: version 1's files with one change, as another version."""

import hashlib
import json
import pickle
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import skops.io

from trimtab.environment import Environment
from trimtab.ledger import versions
from trimtab.ledger.chain import digest
from trimtab.training.unwrap import take_apart
from trimtab.types import Candidate


def plant(
    env: Environment, change: Callable[[Path], None], *, signed: bool = True, version: int = 2
) -> Candidate:
    """Make a version of version 1's files with one change; ``signed``: its hashes fit."""
    one = versions.candidate(env.ledger, "buys", 1)
    uri, key = f"models/buys/planted{version}", digest(["planted", version])
    folder = env.lake / uri
    shutil.copytree(env.lake / one.uri, folder)
    rewrite(folder / "model.json", key=key)
    manifest = hashes(folder)
    change(folder)
    record = {"version": version, "key": key, "uri": uri, "run_id": None}
    made = one.model_copy(update={**record, "manifest": hashes(folder) if signed else manifest})
    env.ledger.append("version_number", "buys", str(version), {"key": key})
    env.ledger.append("training", "buys", key, made.to_json())
    return made


def same(folder: Path) -> None:
    """Change nothing."""


def hashes(folder: Path) -> dict[str, str]:
    files = [f for f in folder.rglob("*") if f.is_file() and f.name != "manifest.json"]
    sums = {str(f.relative_to(folder)): hashlib.sha256(f.read_bytes()).hexdigest() for f in files}
    return dict(sorted(sums.items()))


def rewrite(file: Path, **changes: Any) -> None:
    file.write_text(json.dumps({**json.loads(file.read_text()), **changes}))


def pickled(folder: Path) -> None:
    (folder / "model.skops").write_bytes(pickle.dumps({"a": 1}))


def with_pickle(folder: Path) -> None:
    (folder / "model.pkl").write_bytes(pickle.dumps({"a": 1}))


def with_code(folder: Path) -> None:
    (folder / "code").mkdir()
    (folder / "code" / "sly.py").write_text("raise SystemExit('it ran')")
    (folder / "MLmodel").write_text("flavors: {python_function: {loader_module: sly, code: code}}")


def one_byte(folder: Path) -> None:
    data = bytearray((folder / "model.skops").read_bytes())
    data[len(data) // 2] ^= 1
    (folder / "model.skops").write_bytes(data)


def other_metrics(folder: Path) -> None:
    rewrite(folder / "model.json", validation={"roc_auc": 0.99})


def other_training(folder: Path) -> None:
    rewrite(folder / "model.json", key="of another one")


def other_answers(folder: Path) -> None:
    rows = pl.read_parquet(folder / "recorded.parquet")
    rows.with_columns(pl.col("_prediction") * 0.9).write_parquet(folder / "recorded.parquet")


def other_worth(folder: Path) -> None:
    (folder / "importance.json").write_text("{}")


def no_answers(folder: Path) -> None:
    (folder / "recorded.parquet").unlink()


def nan_leaf(folder: Path) -> None:
    """The rarest leaf of the boosted trees says no number; recorded rows that show it are gone."""
    file, recorded = folder / "model.skops", folder / "recorded.parquet"
    model = skops.io.load(file, trusted=skops.io.get_untrusted_types(file=file))
    trees = [each.nodes for (each,) in take_apart(model).estimator._predictors]
    leaves = [(nodes, leaf) for nodes in trees for leaf in np.flatnonzero(nodes["is_leaf"])]
    nodes, rarest = min(leaves, key=lambda leaf: int(leaf[0]["count"][leaf[1]]))
    nodes["value"][rarest] = np.nan
    file.write_bytes(skops.io.dumps(model))
    asked = pl.read_parquet(recorded)
    quiet = np.isfinite(model.predict_proba(asked.to_pandas())).all(axis=1)
    asked.filter(quiet).write_parquet(recorded)
