"""The software a version was made with: pinned requirements, and CycloneDX 1.6."""

from typing import Any
from uuid import NAMESPACE_URL, uuid5

from cyclonedx.contrib.license.factories import LicenseFactory
from cyclonedx.model import HashAlgorithm, HashType, Property
from cyclonedx.model.bom import Bom, BomMetaData
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.model.contact import OrganizationalEntity
from cyclonedx.model.license import License
from cyclonedx.output.json import JsonV1Dot6
from packageurl import PackageURL

from trimtab.evaluation.papers.facts import Facts

# What classifiers call the licences that SPDX has one name for.
_SPDX = {
    "MIT License": "MIT",
    "Apache Software License": "Apache-2.0",
    "ISC License (ISCL)": "ISC",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "Python Software Foundation License": "PSF-2.0",
    "The Unlicense (Unlicense)": "Unlicense",
}


def requirements(facts: Facts) -> str:
    """Return everything that was installed, in the form pip and uv install it from."""
    found = facts.made["installed"]["versions"]
    python = facts.made["libraries"]["python"]
    lines = [f"# {facts.name}: all that was installed; Python {python}"]
    return "\n".join([*lines, *(f"{name}=={at}" for name, at in sorted(found.items()))]) + "\n"


def sbom(facts: Facts) -> str:
    """Return a CycloneDX 1.6 bill of materials; the model is the component it is about."""
    installed = facts.made["installed"]
    licences = installed.get("licences", {})  # versions of older releases did not keep them
    libraries = [
        _library(name, at, licences.get(name, "")) for name, at in installed["versions"].items()
    ]
    model, python = _model(facts), _python(facts.made["libraries"]["python"])
    bom = Bom(
        serial_number=uuid5(NAMESPACE_URL, f"urn:trimtab:{facts.candidate.key}"),
        metadata=BomMetaData(
            timestamp=facts.trained.at,
            component=model,
            supplier=OrganizationalEntity(name=facts.spec.owner),
        ),
        components=[python, *libraries],
    )
    bom.register_dependency(model, [python, *libraries])
    text: str = JsonV1Dot6(bom).output_as_string(indent=1)
    return text + "\n"


def _model(facts: Facts) -> Component:
    candidate = facts.candidate
    return Component(
        bom_ref=facts.name,
        type=ComponentType.MACHINE_LEARNING_MODEL,
        name=candidate.model,
        version=str(candidate.version),
        description=facts.spec.purpose,
        hashes=[HashType(alg=HashAlgorithm.SHA_256, content=candidate.manifest["model.skops"])],
        properties=[
            Property(name="trimtab:estimator", value=candidate.estimator),
            Property(name="trimtab:lock", value=facts.made["lock"]["name"]),
            Property(name="trimtab:lock_sha256", value=facts.made["lock"]["sha256"]),
        ],
    )


def _python(version: str) -> Component:
    return Component(bom_ref="python", type=ComponentType.PLATFORM, name="python", version=version)


def _library(name: str, version: str, licence: str) -> Component:
    url = PackageURL("pypi", name=name, version=version)
    return Component(
        bom_ref=str(url), name=name, version=version, purl=url, licenses=_licences(licence)
    )


def _licences(said: str) -> list[License]:
    """An SPDX name or expression where the text is one, else the text itself."""
    if not said:
        return []
    made: Any = LicenseFactory().make_from_string(_SPDX.get(said, said))
    return [made]
