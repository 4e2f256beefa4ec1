"""Whether a version still is what its record says, and its data what it was trained on."""

from collections.abc import Iterator, Sequence

from trimtab import trusted
from trimtab.environment import Environment
from trimtab.stages import conditions
from trimtab.stages.describe import BASELINES, told
from trimtab.training import package
from trimtab.types import Candidate, FeatureSet, Rule

PACKAGE, DATA = "package_as_recorded", "data_unchanged"
_NEEDED = (
    "model.skops",
    *(f"baseline_{name}.skops" for name in BASELINES),
    package.DESCRIPTION,
    package.RECORDED,
)
_SHOWN = 5  # differences that are named


def packaged(env: Environment, candidate: Candidate) -> Rule:
    """Refuse files or metrics that are not those of this training: changed, missing or stale."""
    found = list(_package(env, candidate))
    reason = (
        f"All {len(candidate.manifest)} files of the version are as the ledger says, and its "
        "metrics are those of this training."
    )
    return _rule(PACKAGE, found, reason, "Restore the files, or train again")


def data(env: Environment, candidate: Candidate) -> Rule:
    """Refuse a version whose dataset versions or feature rows are not what they were."""
    found = list(_data(env, candidate))
    names = ", ".join(f"{name} version {v}" for name, v in candidate.features.versions.items())
    reason = f"The data it was made from are unchanged: {names}."
    return _rule(DATA, found, reason, "Restore the data, or train on what is there now")


def _package(env: Environment, candidate: Candidate) -> Iterator[str]:
    for name in _NEEDED:
        if name not in candidate.manifest:
            yield f"the version has no {name}"
    for name in trusted.foreign(candidate.manifest):
        yield f"{name} is no file that a version has"
    yield from conditions.files(env, candidate)
    made = package.describe(env.lake / candidate.uri)
    if made["key"] != candidate.key:
        yield f"{package.DESCRIPTION} is stale: it describes another training"
    if FeatureSet.model_validate(made["features"]) != candidate.features:
        yield f"{package.DESCRIPTION} names another feature set than the ledger"
    ours, theirs = candidate.to_json(), _as_described(candidate, told(made))
    for name in told(made):
        if ours[name] != theirs[name]:
            yield f"{name}: {ours[name]} in the ledger, {theirs[name]} in {package.DESCRIPTION}"


def _as_described(candidate: Candidate, facts: dict[str, object]) -> dict[str, object]:
    return Candidate.model_validate({**candidate.to_json(), **facts}).to_json()


def _data(env: Environment, candidate: Candidate) -> Iterator[str]:
    features = candidate.features
    file = env.lake / features.uri
    if not file.is_file():
        yield f"the feature rows {features.uri} are gone"
    elif features.sha256 and package.sha256(file) != features.sha256:
        yield f"the feature rows {features.uri} are not those that were written"
    # `packaged` says whether the description is the ledger's
    yield from conditions.data(env, candidate, package.describe(env.lake / candidate.uri))


def _rule(name: str, found: Sequence[str], fine: str, fix: str) -> Rule:
    more = f"; and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
    reason = f"{'; '.join(found[:_SHOWN])}{more}. {fix}." if found else fine
    return Rule(
        name=name,
        passed=not found,
        value=len(found),
        limit=0,
        reason=reason[:1].upper() + reason[1:],
        about="record",
    )
