"""A model as MLflow keeps one: skops, with signature, input example and stated requirements."""

from pathlib import Path

from trimtab.adapters.tracking.entry import ModelFiles
from trimtab.errors import DataError


def save(place: Path, files: ModelFiles, where: str) -> None:
    """Write the model's folder.

    Raises:
        DataError: MLflow could not make a signature; a model without one is not shown.
    """
    import mlflow.sklearn
    from mlflow.models import infer_signature

    signature = infer_signature(files.example, files.prediction)
    if not signature.inputs or not signature.outputs:
        raise DataError(f"{where}: MLflow made no signature of the input example")
    # Without explicit requirements MLflow reloads the model in a subprocess for seconds.
    mlflow.sklearn.save_model(
        files.model,
        str(place),
        serialization_format="skops",
        signature=signature,
        input_example=files.example,
        pip_requirements=list(files.requirements),
        skops_trusted_types=list(files.trusted),
    )
