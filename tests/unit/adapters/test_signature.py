"""A webhook's receiver takes what its sender signed, once, in time, unaltered (S14)."""

from datetime import UTC, datetime, timedelta

import pytest

from trimtab.adapters.signature import ID, SIGNATURE, TIMESTAMP, Verifier, signed
from trimtab.clock import FixedClock
from trimtab.errors import NotAllowedError, TrimtabError

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
BODY = b'{"title": "late drifts"}'
NOW = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(NOW)


@pytest.fixture
def headers() -> dict[str, str]:
    return signed(BODY, SECRET, message="msg_1", at=int(NOW.timestamp()))


def test_a_signed_message_is_taken_once(clock: FixedClock, headers: dict[str, str]) -> None:
    verifier = Verifier(SECRET, clock=clock)
    verifier.verify(BODY, {name.title(): value for name, value in headers.items()})
    with pytest.raises(NotAllowedError, match="msg_1 came before"):
        verifier.verify(BODY, headers)


def test_it_is_what_other_libraries_of_the_standard_write(headers: dict[str, str]) -> None:
    """The value of the package ``standardwebhooks`` 1.0 for the same message."""
    assert headers[SIGNATURE] == "v1,DTQXAWZ8UiNE2636oN1VyK2yycadT0Gx9GwBBTXQxks="


@pytest.mark.parametrize("wrong", ["v1,AAAA", "", "v2,x", "v1,not base64", "v1"])
def test_a_wrong_signature_is_refused(
    clock: FixedClock, headers: dict[str, str], wrong: str
) -> None:
    with pytest.raises(NotAllowedError, match="does not fit"):
        Verifier(SECRET, clock=clock).verify(BODY, {**headers, SIGNATURE: wrong})


@pytest.mark.parametrize("name", [ID, TIMESTAMP])
def test_what_is_not_signed_is_refused(
    clock: FixedClock, headers: dict[str, str], name: str
) -> None:
    for value in ("", "\u0661" if name == TIMESTAMP else ""):
        with pytest.raises(NotAllowedError, match="is not signed"):
            Verifier(SECRET, clock=clock).verify(BODY, {**headers, name: value})


@pytest.mark.parametrize("what", ["body", "secret", "id", "timestamp"])
def test_any_change_is_noticed(clock: FixedClock, headers: dict[str, str], what: str) -> None:
    verifier = Verifier("another" if what == "secret" else SECRET, clock=clock)
    body = BODY + b" " if what == "body" else BODY
    changed = {"id": {ID: "msg_2"}, "timestamp": {TIMESTAMP: str(int(headers[TIMESTAMP]) + 1)}}
    with pytest.raises(NotAllowedError, match="does not fit"):
        verifier.verify(body, {**headers, **changed.get(what, {})})


@pytest.mark.parametrize("minutes", [10, -10])
def test_an_old_message_and_one_from_the_future_are_refused(
    clock: FixedClock, headers: dict[str, str], minutes: int
) -> None:
    clock.time += timedelta(minutes=minutes)
    with pytest.raises(NotAllowedError, match="too far from now"):
        Verifier(SECRET, clock=clock).verify(BODY, headers)


def test_two_signatures_while_the_secret_is_changed(
    clock: FixedClock, headers: dict[str, str]
) -> None:
    old = signed(BODY, "old", message="msg_1", at=int(NOW.timestamp()))
    both = {**headers, SIGNATURE: f"{old[SIGNATURE]} {headers[SIGNATURE]}"}
    Verifier(SECRET, clock=clock).verify(BODY, both)


def test_what_it_remembers_does_not_grow(clock: FixedClock) -> None:
    verifier = Verifier(SECRET, clock=clock)
    for minute in range(60):
        clock.time = NOW + timedelta(minutes=minute)
        at = int(clock.time.timestamp())
        verifier.verify(BODY, signed(BODY, SECRET, message=f"msg_{minute}", at=at))
    assert len(verifier._seen) <= 6


def test_a_secret_that_is_no_secret_says_so() -> None:
    with pytest.raises(TrimtabError, match="copy it again"):
        signed(BODY, "whsec_%%%", message="m", at=0)
    with pytest.raises(TrimtabError, match="empty"):
        signed(BODY, "", message="m", at=0)
