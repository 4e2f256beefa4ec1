"""Cells about a model that is watched: monitor, decide, act, and the calibration they ask for."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from faults import watching
from faults.promotion import Champions, Promotion


@dataclass
class Watched(Champions):
    """What a person sees of a watched model, and what people were told."""

    messages: dict[str, str]

    def differences(self, other: Champions, *, ordered: bool = True) -> list[str]:
        """Say where ``self`` is not what the undisturbed run made; a message twice is one."""
        found = super().differences(other, ordered=ordered)
        theirs = other.messages if isinstance(other, Watched) else {}
        if odd := [self.messages.get(k) or theirs[k] for k in self.messages.keys() ^ theirs.keys()]:
            found.append(f"other messages: {odd!s:.600}")
        return found


class Monitoring(Promotion):
    """Each cell has its own config, beside the copies of home and MLflow's database."""

    module = "watching"
    told: Any = watching
    volatile: Mapping[str, set[str]] = {
        "training": {"manifest", "seconds"},  # archives hold the time of their making
        "mirrored": {"run_id"},
    }

    def _config(self, cell: Path) -> Path:
        return cell / "config"

    def _state(self, cell: Path) -> Watched:
        sent = {file.name: file.read_text() for file in (cell / "messages").glob("*.json")}
        return Watched(**vars(super()._state(cell)), messages=sent)
