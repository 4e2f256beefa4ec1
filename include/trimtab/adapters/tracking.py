"""MLflow: runs, registered versions and the champion alias, all a mirror of the ledger."""

from pathlib import Path


class Tracker:
    """The MLflow client of one environment."""

    def __init__(self, uri: str, artifacts: Path) -> None:
        self.uri = uri
        self.artifacts = artifacts
