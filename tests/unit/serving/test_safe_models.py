"""Models that must not get into memory, and those that must: what a file may hold, by family."""

import ast
import os
import pickle
import zipfile
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import skops.io
from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from trimtab import trusted
from trimtab.errors import IntegrityError
from trimtab.serving import loader
from trimtab.training import package

Pack = Callable[..., Any]
ROOT = Path(__file__).parents[3]


class Bomb:
    """Runs a command when a pickle of it is read."""

    def __init__(self, file: Path) -> None:
        self.file = file

    def __reduce__(self) -> tuple[Any, tuple[str]]:
        return os.system, (f"touch {self.file}",)


def evil(command: str = "true") -> Any:
    """A pipeline that gives what it is asked to the shell."""
    step = FunctionTransformer(os.system, kw_args={"command": command})
    return make_pipeline(step, LogisticRegression())


def test_a_type_of_no_family_is_refused_whatever_the_file_says_of_itself(
    packed: Pack, tmp_path: Path
) -> None:
    """S01: the list of trusted types that lies beside the model, and in it, is not read."""
    buffer = BytesIO(skops.io.dumps(evil()))
    with zipfile.ZipFile(buffer, "a") as archive:
        archive.writestr("trusted.json", '["posix.system"]')
    own = b'{"skops_trusted_types": ["posix.system"]}'
    candidate = packed(buffer.getvalue(), answered=False, files={"model.json": own})
    with pytest.raises(IntegrityError, match=r"holds posix\.system, which trimtab does not load"):
        loader.load(tmp_path, candidate)


@pytest.mark.parametrize("beside", ["MLmodel", "code/sly.py", "model.pkl", "python_model.pkl"])
def test_a_version_that_lists_code_or_pickles_is_not_opened(
    packed: Pack, tmp_path: Path, beside: str
) -> None:
    """S02, S03: a loader_module with its code, or a pickle, and a manifest that fits."""
    ran = tmp_path / "ran"
    content = pickle.dumps(Bomb(ran)) if beside.endswith("pkl") else b"loader_module: sly\n"
    candidate = packed(StandardScaler(), answered=False, files={beside: content})
    for opened in (
        lambda: loader.load(tmp_path, candidate),
        lambda: loader.verify(tmp_path, candidate),
    ):
        with pytest.raises(IntegrityError, match=f"lists {beside}, and no version is made of"):
            opened()
    assert not ran.exists()


def test_what_lies_in_the_folder_unlisted_keeps_it_from_being_registered(
    packed: Pack, tmp_path: Path
) -> None:
    """S02: code that somebody put beside a finished model."""
    candidate = packed(StandardScaler(), answered=False)
    folder = tmp_path / candidate.uri
    assert package.read_manifest(folder) == candidate.manifest
    (folder / "code").mkdir()
    (folder / "code" / "sly.py").write_text("raise SystemExit")
    (folder / "MLmodel").symlink_to("/etc/hostname")
    with pytest.raises(IntegrityError, match=r"holds MLmodel, code/sly\.py, which training does"):
        package.read_manifest(folder)


def test_a_pickle_under_the_right_name_is_refused_by_its_first_bytes(
    packed: Pack, tmp_path: Path
) -> None:
    """S03: nothing scans it, nothing reads it."""
    ran = tmp_path / "ran"
    candidate = packed(pickle.dumps(Bomb(ran)), answered=False)
    with pytest.raises(
        IntegrityError, match=r"is no model: it begins with b'\\x80.*never a pickle"
    ):
        loader.load(tmp_path, candidate)
    assert not ran.exists()


def learned(model: Any) -> Any:
    rng = np.random.default_rng(0)
    x = pd.DataFrame({"x": rng.normal(size=200), "z": rng.normal(size=200)})
    return model.fit(x, (x["x"] + rng.normal(size=200) > 0).astype(int))


CLEAN = {
    "forest": RandomForestClassifier(5),
    "boosting": HistGradientBoostingClassifier(max_iter=5),
    "near by tree": KNeighborsClassifier(algorithm="kd_tree"),
    "near by ball": KNeighborsClassifier(algorithm="ball_tree"),
    "calibrated": CalibratedClassifierCV(LogisticRegression(), cv=2),
    "calibrated by steps": CalibratedClassifierCV(LogisticRegression(), method="isotonic", cv=2),
    "pipeline": make_pipeline(StandardScaler(), LogisticRegression()),
}


@pytest.mark.parametrize("name", CLEAN)
def test_clean_models_of_scikit_learn_load(name: str) -> None:
    """S04: also those that only a training function of the user's makes."""
    model = learned(CLEAN[name])
    rows = pd.DataFrame({"x": [0.1, -2.0], "z": [0.0, 1.0]})
    back = loader.loads(package.dumped(name, model), "memory")
    assert np.array_equal(back.predict_proba(rows), model.predict_proba(rows))


def test_one_changed_byte_anywhere_is_refused(packed: Pack, tmp_path: Path) -> None:
    """S05."""
    candidate = packed(
        learned(make_pipeline(StandardScaler(), LogisticRegression())), answered=False
    )
    file = tmp_path / candidate.uri / "model.skops"
    whole = file.read_bytes()
    for at in (0, len(whole) // 2, len(whole) - 1):
        data = bytearray(whole)
        data[at] ^= 1
        file.write_bytes(data)
        with pytest.raises(IntegrityError, match="the ledger says"):
            loader.load(tmp_path, candidate)


@pytest.mark.parametrize(
    ("family", "model"),
    [
        ("linear", RandomForestClassifier(3)),
        ("random_forest", HistGradientBoostingClassifier(max_iter=3)),
        ("boosted_trees", RandomForestClassifier(3)),
        ("dummy", KNeighborsClassifier(algorithm="kd_tree")),
    ],
)
def test_a_family_holds_its_own_types_only(family: str, model: Any) -> None:
    data = skops.io.dumps(learned(model))
    with pytest.raises(IntegrityError, match=f"does not load in a model of family {family}"):
        loader.loads(data, "memory", family)
    assert loader.loads(data, "memory") is not None


def test_what_the_users_module_allows_is_not_allowed_to_our_families(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trusted, "_OWN", set())
    (tmp_path / f"{trusted.USER_MODULE}.py").write_text(
        "from trimtab.training.registry import allow\n@allow\nclass Mine:\n    pass\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    name = f"{trusted.USER_MODULE}.Mine"
    assert trusted.unknown([name], "linear") == [name]
    assert trusted.unknown([name], "a_function") == []
    assert trusted.unknown([name], "linear") == [name]  # also once it is known


def test_no_code_of_ours_loads_in_another_way() -> None:
    """S01 to S03: neither MLflow's loaders nor any form of pickle is called."""
    banned = {"pickle", "cloudpickle", "joblib", "dill", "marshal", "shelve"}
    found = []
    for file in [*ROOT.glob("include/**/*.py"), *ROOT.glob("plugins/**/*.py")]:
        for node in ast.walk(ast.parse(file.read_text())):
            names = []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                names = [node.module or ""]
            elif isinstance(node, ast.Attribute) and node.attr in ("load_model", "read_pickle"):
                found.append(f"{file.name}:{node.lineno} {node.attr}")
            found += [f"{file.name} {name}" for name in names if name.split(".")[0] in banned]
    assert found == []
