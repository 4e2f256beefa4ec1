"""The ledger's verbs: what they say, and their exit codes."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from sqlalchemy import text

from trimtab.environment import open_environment
from trimtab.ledger import champion

Call = Callable[..., Result]
Document = Callable[..., dict[str, Any]]


@pytest.fixture
def promoted(project: Path, mlflow_database: Path) -> None:
    shutil.copy(mlflow_database, project / "home" / "mlflow.db")
    env = open_environment()
    champion.swap(
        env.ledger,
        "lateness",
        1,
        expected=None,
        action="promote",
        actor="ana",
        reason="[better] than nothing",
    )


def tamper(statement: str) -> None:
    with open_environment().ledger.engine.begin() as connection:
        connection.execute(text(statement))


def test_verify_is_zero_or_three_with_the_first_bad_entry(
    call: Call, document: Document, promoted: None
) -> None:
    fine = call("ledger", "verify")
    assert fine.exit_code == 0
    assert "1 entries fit, under no key" in fine.stdout
    assert document("ledger", "verify")["chain"]["entries"] == 2
    assert document("ledger", "verify", "--no-record")["chain"]["entries"] == 3
    assert document("ledger", "verify", "--no-record")["chain"]["entries"] == 3
    tamper("update events set actor = 'bob' where seq = 1")
    bad = call("ledger", "verify", "--no-record")
    assert bad.exit_code == 3
    assert "entry 1 is not what was written" in bad.stderr
    assert "Traceback" not in bad.output
    told = document("ledger", "verify", "--no-record")
    assert (told["ok"], told["first_bad"], told["error"]["first_bad"]) == (False, 1, 1)


def test_a_cut_is_found_by_the_anchor_of_the_verification_before(
    call: Call, promoted: None
) -> None:
    assert call("ledger", "verify").exit_code == 0
    tamper("delete from events where seq > 1")
    bad = call("ledger", "verify")
    assert bad.exit_code == 3
    assert "entries from 2 to 2 at least are missing, say 1 anchor(s) in anchors" in bad.stderr


def test_a_key_is_used_when_somebody_says_so(
    call: Call, document: Document, promoted: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    none = call("ledger", "key", "--reason", "why not")
    assert none.exit_code == 1
    assert "set TRIMTAB_LEDGER_KEY" in none.stderr
    monkeypatch.setenv("TRIMTAB_LEDGER_KEY", "k" * 40)
    assert call("ledger", "verify", "--no-record").exit_code == 3
    used = document("ledger", "key", "--reason", "an audit", "--by", "ana")
    assert (used["new"], used["entry"], used["reason"]) == (True, 2, "an audit")
    assert call("ledger", "verify").exit_code == 0
    monkeypatch.setenv("TRIMTAB_LEDGER_KEY", "short")
    assert "fewer than 32 characters" in call("ledger", "verify").stderr
    monkeypatch.delenv("TRIMTAB_LEDGER_KEY")
    assert "does not hold" in call("ledger", "verify").stderr
    findings = {f["what"]: f for f in document("doctor")["findings"]}
    assert findings["ledger chain"]["status"] == "refused"


def test_doctor_tells_of_a_chain_without_a_key_and_of_anchors(
    document: Document, promoted: None
) -> None:
    document("ledger", "verify")
    findings = {f["what"]: f for f in document("doctor")["findings"]}
    assert findings["ledger chain"]["status"] == "warn"
    assert "TRIMTAB_LEDGER_KEY" in findings["ledger chain"]["cure"]
    assert findings["anchors"]["text"] == "anchors holds 1 anchor(s)"


def test_as_of_and_history(call: Call, document: Document, promoted: None) -> None:
    since = open_environment().ledger.events("champion")[0].at
    told = document("as-of", "lateness", since.isoformat())
    assert (told["version"], told["actor"], told["entry"]) == (1, "ana", 1)
    shown = call("as-of", "lateness", since.isoformat()).stdout
    assert "lateness version 1 served, since" in shown
    assert "promote by ana" in shown
    early = call("as-of", "lateness", "2013-01-01T00:00Z")
    assert early.exit_code == 0
    assert "no version served at 2013-01-01 00:00:00 UTC; the first one did from" in early.stdout
    naive = call("as-of", "lateness", "2013-01-01")
    assert naive.exit_code == 1
    assert "names no zone" in naive.stderr
    history = call("history", "lateness").stdout
    assert "promote: champion, generation 1" in history
    assert "[better] than nothing" in history
    assert document("history", "lateness")["entries"][0]["actor"] == "ana"
    wrong = call("audit", "explain", "lateness")
    assert wrong.exit_code == 1
    assert "MODEL:FILE:ROW" in wrong.stderr
