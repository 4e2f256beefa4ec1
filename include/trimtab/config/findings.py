"""How a problem across files is told: where it stands, what it is, what to do."""

from collections.abc import Collection

Finding = tuple[tuple[str | int, ...], str, str]  # path of the key, problem, fix


def near(name: str, columns: Collection[str]) -> str:
    """Say which names are close, or which there are."""
    from difflib import get_close_matches

    close = get_close_matches(name, list(columns), n=3)
    return f"did you mean {' or '.join(close)}?" if close else f"known are {sorted(columns)}"
