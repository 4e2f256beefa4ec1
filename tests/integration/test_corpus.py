"""The corpus of bad files with tables, staging and quarantine on a real S3 server."""

import json
from typing import Any

import pytest
from tests.corpus import files, parquets, text, values
from tests.corpus.case import CASES
from tests.corpus.run import run
from tests.corpus.test_corpus import _verdict

__all__ = ["files", "parquets", "text", "values"]


@pytest.mark.timeout(900)
def test_every_case_gets_its_verdict(ceph: Any, bucket: str) -> None:
    lines = run(
        {
            **ceph.environment,
            "AWS_ALLOW_HTTP": "true",
            "TRIMTAB_CORPUS_STORE": f"s3://{bucket}",
            "TRIMTAB_CORPUS_FORMS": "1",
        }
    )
    lines.sort(key=lambda line: str(line["case"]))
    assert [line["case"] for line in lines] == sorted(CASES)
    wrong = [
        line
        for line in lines
        if "error" in line
        or _verdict(line) != CASES[line["case"]].expected
        or line.get("wrong_values")
    ]
    assert not wrong, json.dumps(wrong[:5], indent=1)
    print(f"{len(lines)} of 112 cases")
