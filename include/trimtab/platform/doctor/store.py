"""The store: is it there, whose is it, and does it keep what commits rest on?"""

from collections.abc import Iterator

from trimtab.adapters import probe
from trimtab.adapters.store import S3Store, Store
from trimtab.errors import TrimtabError
from trimtab.platform.doctor.finding import Finding, judged, ok, tried

_SKEW = 60.0  # seconds
_ANOTHER = (
    "use a store that honours If-None-Match on PUT (AWS S3, Ceph 16 or newer); "
    "on this one Delta loses commits in silence"
)
_REACH = (
    "set AWS_ENDPOINT_URL, AWS_REGION, AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, create the "
    "bucket, and allow reading, writing, listing and deleting"
)


def examined(store: Store) -> Iterator[Finding]:
    """Try everything, on objects of its own."""
    if isinstance(store, S3Store):
        yield from tried("store credentials", lambda: _credentials(store), _REACH)
    yield from tried("store commits", lambda: _commits(store), _REACH)
    yield from tried("store reads", lambda: _reads(store), _REACH)
    if isinstance(store, S3Store):
        yield from tried("store clock", lambda: _clock(store), _REACH)
        yield from tried("store versioning", lambda: _versioning(store), _REACH)


def _credentials(store: S3Store) -> Iterator[Finding]:
    probe.skew(store)  # asks for the bucket
    loose = probe.takes_any_secret(store)
    yield judged(
        "store credentials",
        not loose,
        f"{store.uri} answers, {'also to' if loose else 'and refuses'} a wrong secret",
        "anybody who reaches it can change the tables; switch its authentication on",
        otherwise="warn",
    )


def _commits(store: Store) -> Iterator[Finding]:
    with probe.scratch(store) as key:
        kept = probe.create(store, key("once")) and not probe.create(store, key("once"))
        text = "an object that is there is kept" if kept else "overwrites an object that is there"
        yield judged("store commits", kept, text, _ANOTHER)
        count = probe.winners(store, key("race"))
        text = f"of 8 writers at once {count} created the object"
        yield judged("store races", count == 1, text, _ANOTHER)


def _reads(store: Store) -> Iterator[Finding]:
    try:
        with probe.scratch(store) as key:
            seconds = probe.round_trip(store, key("read"))
    except TrimtabError as error:
        yield judged("store reads", False, str(error), "use a store with read-after-write")
        return
    yield ok("store reads", f"write, read and list of one object: {seconds * 1000:.0f} ms")


def _clock(store: S3Store) -> Iterator[Finding]:
    ahead = probe.skew(store)
    text = f"this machine is {abs(ahead):.0f} s {'ahead of' if ahead > 0 else 'behind'} the store"
    yield judged("store clock", abs(ahead) <= _SKEW, text, "set this machine's clock (NTP)")


def _versioning(store: S3Store) -> Iterator[Finding]:
    yield ok("store versioning", f"of the bucket is {probe.versioning(store)}")
