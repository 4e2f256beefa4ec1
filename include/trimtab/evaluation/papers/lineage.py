"""How a version came about, as OpenLineage events: files, datasets, features, model, decisions.

Events are built from the classes of the OpenLineage client and validated against the schema that
these classes carry (they are generated from the specification). Nothing is sent anywhere.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from openlineage.client.event_v2 import InputDataset, Job, OutputDataset, Run, RunEvent, RunState
from openlineage.client.facet_v2 import (
    DatasetFacet,
    data_quality_assertions_dataset,
    dataset_type_dataset,
    dataset_version_dataset,
    documentation_job,
    input_statistics_input_dataset,
    job_type_job,
    output_statistics_output_dataset,
    ownership_job,
    processing_engine_run,
    schema_dataset,
)
from openlineage.client.serde import Serde

from trimtab.config.dataset import DatasetSpec
from trimtab.evaluation.papers.facts import Facts, File, Source
from trimtab.types import CheckResult

NAMESPACE = "trimtab"
_SEVERITY = {"block": "error", "quarantine": "error", "warn": "warn"}


@dataclass(frozen=True)
class Step:
    """One thing that was done: it began, it ended, it read and it wrote."""

    job: str
    what: str
    key: str  # makes the run's id: the same step has the same one in every dossier
    began: datetime
    ended: datetime
    inputs: Sequence[InputDataset] = ()
    outputs: Sequence[OutputDataset] = ()


def events(facts: Facts) -> list[dict[str, Any]]:
    """Return a START and a COMPLETE event for each step, in the order of the steps."""
    steps = [*map(_published, facts.sources), *_trained(facts), *_decided(facts)]
    found = [Serde.to_dict(event) for step in steps for event in _events(facts, step)]
    signed: list[dict[str, Any]] = _signed(found, f"urn:trimtab:{_release(facts)}")
    return signed


def _release(facts: Facts) -> str:
    return str(facts.made["libraries"]["trimtab"])


def _signed(found: Any, producer: str) -> Any:
    """Name who tells it. The client's own way is a global that Airflow's provider sets, too."""
    if isinstance(found, list):
        return [_signed(each, producer) for each in found]
    if not isinstance(found, dict):
        return found
    ours = {name: producer for name in ("producer", "_producer") if name in found}
    return {name: _signed(each, producer) for name, each in found.items()} | ours


def _events(facts: Facts, step: Step) -> Iterator[RunEvent]:
    run = Run(
        runId=str(uuid5(NAMESPACE_URL, f"urn:trimtab:{step.job}:{step.key}")),
        facets={
            "processing_engine": processing_engine_run.ProcessingEngineRunFacet(
                version=_release(facts), name="trimtab"
            )
        },
    )
    job = Job(
        namespace=NAMESPACE,
        name=step.job,
        facets={
            "jobType": job_type_job.JobTypeJobFacet(
                processingType="BATCH", integration="TRIMTAB", jobType="JOB"
            ),
            "documentation": documentation_job.DocumentationJobFacet(description=step.what),
            "ownership": ownership_job.OwnershipJobFacet(
                owners=[ownership_job.Owner(name=facts.spec.owner)]
            ),
        },
    )
    for state, at, inputs, outputs in (
        (RunState.START, step.began, (), ()),
        (RunState.COMPLETE, step.ended, step.inputs, step.outputs),
    ):
        yield RunEvent(
            eventType=state,
            eventTime=at.isoformat(),
            run=run,
            job=job,
            inputs=list(inputs),
            outputs=list(outputs),
        )


def _published(source: Source) -> Step:
    """All files whose rows a dataset version holds."""
    rows = output_statistics_output_dataset.OutputStatisticsOutputDatasetFacet(
        rowCount=source.made.total_rows
    )
    written = OutputDataset(
        namespace=NAMESPACE,
        name=f"datasets/{source.spec.dataset}",
        facets={**_version(source.made.version, "TABLE"), "schema": _schema(source.spec)},
        outputFacets={"outputStatistics": rows},
    )
    return Step(
        job=f"{source.spec.dataset}.publish",
        what="Check files against the contract and publish their rows as a version.",
        key=source.name,
        began=source.at,
        ended=source.at,
        inputs=[_file(source, file) for file in source.files],
        outputs=[written],
    )


def _file(source: Source, file: File) -> InputDataset:
    facets: dict[str, Any] = {}
    if file.verdict:
        facets["inputStatistics"] = input_statistics_input_dataset.InputStatisticsInputDatasetFacet(
            rowCount=file.verdict.rows_read
        )
    if file.validation and file.validation.results:
        facets["dataQualityAssertions"] = (
            data_quality_assertions_dataset.DataQualityAssertionsDatasetFacet(
                assertions=[_assertion(result) for result in file.validation.results]
            )
        )
    return InputDataset(
        namespace=NAMESPACE,
        name=f"landing/{source.spec.dataset}/{file.published.name}",
        facets=_version(file.published.sha256, "FILE"),
        inputFacets=facets,
    )


def _assertion(result: CheckResult) -> data_quality_assertions_dataset.Assertion:
    return data_quality_assertions_dataset.Assertion(
        assertion=result.expectation,
        success=result.success,
        column=result.column,
        severity=_SEVERITY[result.severity],
    )


def _trained(facts: Facts) -> Iterator[Step]:
    candidate, at = facts.candidate, facts.trained.at
    features = candidate.features
    began = at - timedelta(seconds=candidate.seconds)
    data = [
        InputDataset(NAMESPACE, f"datasets/{name}", facets=_version(version, "TABLE"))
        for name, version in features.versions.items()
    ]
    place = f"features/{features.model}"
    whole = _version(features.sha256 or features.key, "FILE")
    yield Step(
        job=f"{features.model}.features",
        what="Join the datasets as of each row's time and split the rows.",
        key=features.key,
        began=began,
        ended=began,
        inputs=data,
        outputs=[OutputDataset(NAMESPACE, place, facets=whole)],
    )
    yield Step(
        job=f"{features.model}.train",
        what=f"Search, fit and package {candidate.estimator}.",
        key=candidate.key,
        began=began,
        ended=at,
        inputs=[InputDataset(NAMESPACE, place, facets=whole)],
        outputs=[_model(facts)],
    )


def _decided(facts: Facts) -> Iterator[Step]:
    """Verdicts, answers and changes of the champion: what each was decided on."""
    candidate = facts.candidate
    mine = InputDataset(NAMESPACE, f"models/{candidate.model}", facets=_version_of(facts))
    for event in facts.of("gate", "approval", "champion"):
        yield Step(
            job=f"{candidate.model}.{event.kind}",
            what=f"{event.kind} of version {candidate.version}, by {event.actor}",
            key=f"{event.seq}:{event.key}",
            began=event.at,
            ended=event.at,
            inputs=[mine],
            outputs=[OutputDataset(NAMESPACE, f"ledger/{event.kind}")],
        )


def _model(facts: Facts) -> OutputDataset:
    return OutputDataset(NAMESPACE, f"models/{facts.candidate.model}", facets=_version_of(facts))


def _version_of(facts: Facts) -> dict[str, DatasetFacet]:
    return _version(facts.candidate.version, "MODEL")


def _version(version: int | str, kind: str) -> dict[str, DatasetFacet]:
    return {
        "version": dataset_version_dataset.DatasetVersionDatasetFacet(datasetVersion=str(version)),
        "datasetType": dataset_type_dataset.DatasetTypeDatasetFacet(datasetType=kind),
    }


def _schema(spec: DatasetSpec) -> schema_dataset.SchemaDatasetFacet:
    return schema_dataset.SchemaDatasetFacet(
        fields=[
            schema_dataset.SchemaDatasetFacetFields(
                name=name, type=column.type, description=column.description or None
            )
            for name, column in spec.columns.items()
        ]
    )
