"""What only a person can say of a model: purpose, limits, oversight."""

import re

from trimtab.config.model import ModelSpec
from trimtab.types import Rule

RULE = "human_text"
REQUIRED = {
    "purpose": "what the prediction is for, and for whom",
    "limits": "where it must not be relied on",
    "oversight": "who watches it, and what they can do about it",
}
_LEAST = 10  # characters
_PLACEHOLDER = re.compile(r"\W*(todo|tbd|fixme|xxx+|n/a|lorem)\b|.*\bsay for whom\b", re.IGNORECASE)


def rule(spec: ModelSpec, *, production: bool) -> Rule:
    """In production a model without these texts is refused; elsewhere that is said."""
    missing = [name for name in REQUIRED if not _said(getattr(spec, name))]
    if not missing:
        reason = f"The model file says {', '.join(REQUIRED)}."
    else:
        wanted = "; ".join(f"{name} ({REQUIRED[name]})" for name in missing)
        reason = f"The model file does not say {wanted}. Write it there" + (
            "." if production else "; an environment with production: true would refuse it."
        )
    return Rule(
        name=RULE,
        passed=not missing,
        value=len(missing),
        limit=0,
        reason=reason,
        severity="block" if production else "warn",
        about="record",
    )


def _said(text: str) -> bool:
    words = text.strip()
    return len(words) >= _LEAST and not _PLACEHOLDER.match(words)
