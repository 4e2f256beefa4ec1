"""The schema of the lineage is the specification's, whatever else lies in the process."""

import json
import subprocess
import sys

import attrs
from openlineage.client.generated.base import JobFacet

from trimtab.evaluation.papers.lineage_schema import schema

BEFORE_ANY_COLLECTION = """
import gc, json
gc.disable()
from trimtab.evaluation.papers.lineage_schema import schema
print(json.dumps(schema()))
"""


def test_it_does_not_depend_on_what_the_garbage_collector_has_left() -> None:
    command = [sys.executable, "-c", BEFORE_ANY_COLLECTION]
    told = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    early = json.loads(told)
    facet = early["$defs"]["JobTypeJobFacet"]
    assert {"processingType", "integration", "jobType"} <= set(facet["properties"])
    assert early == schema()


def test_a_facet_that_another_library_adds_is_none_of_the_specification() -> None:
    @attrs.define
    class AirflowJobFacet(JobFacet):
        dag: str = ""

    assert AirflowJobFacet in JobFacet.__subclasses__()
    assert schema.__wrapped__() == schema()
    assert "AirflowJobFacet" not in schema.__wrapped__()["$defs"]
