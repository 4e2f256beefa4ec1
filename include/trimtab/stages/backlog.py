"""What a run that was killed left half way, read from the ledger."""

from trimtab.environment import Environment


def unvalidated(env: Environment, dataset: str) -> list[str]:
    """Hashes of accepted files that no validation has judged, in the order they came."""
    judged = {event.key for event in env.ledger.events("validation", dataset)}
    return [
        event.key
        for event in env.ledger.events("file", dataset)
        if event.payload["verdict"] == "accepted" and event.key not in judged
    ]


def unpublished(env: Environment, dataset: str) -> list[str]:
    """Hashes of files that passed validation and are in no dataset version yet."""
    published = {event.key for event in env.ledger.events("dataset_version", dataset)}
    return [
        event.key
        for event in env.ledger.events("validation", dataset)
        if event.payload["passed"] and event.key not in published
    ]
