"""A model as MLflow keeps one: skops, with signature, input example and stated requirements.

The folder is what ``mlflow.sklearn.save_model`` writes, made from the bytes that are packaged
already: MLflow would write the model anew, and look every requirement up, for most of a second.
"""

import platform
import shutil
from pathlib import Path
from typing import Any

from trimtab.adapters.tracking.entry import ModelFiles
from trimtab.errors import DataError

_DATA, _REQUIREMENTS, _ENVIRONMENT = "model.skops", "requirements.txt", "python_env.yaml"


def save(place: Path, files: ModelFiles, where: str) -> None:
    """Write the model's folder.

    Raises:
        DataError: MLflow could not make a signature; a model without one is not shown.
    """
    import sklearn
    from mlflow import pyfunc
    from mlflow.models import Model
    from mlflow.models.utils import _save_example

    made = Model(signature=_signature(files, where))
    place.mkdir()
    _save_example(made, files.example, str(place))
    shutil.copyfile(files.file, place / _DATA)
    pyfunc.add_to_model(
        made,
        loader_module="mlflow.sklearn",
        model_path=_DATA,
        python_env=_ENVIRONMENT,
        predict_fn="predict",
    )
    made.add_flavor(
        "sklearn",
        pickled_model=_DATA,
        sklearn_version=sklearn.__version__,
        serialization_format="skops",
        code=None,
        skops_trusted_types=list(files.trusted),
    )
    made.model_size_bytes = sum(file.stat().st_size for file in place.iterdir())
    made.save(str(place / "MLmodel"))
    (place / _REQUIREMENTS).write_text("\n".join(files.requirements) + "\n")
    (place / _ENVIRONMENT).write_text(
        f"python: {platform.python_version()}\ndependencies:\n- -r {_REQUIREMENTS}\n"
    )


def _signature(files: ModelFiles, where: str) -> Any:
    from mlflow.models import infer_signature

    signature = infer_signature(files.example, files.prediction)
    if not signature.inputs or not signature.outputs:
        raise DataError(f"{where}: MLflow made no signature of the input example")
    return signature
