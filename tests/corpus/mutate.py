"""Damage to real files, as disks, networks, editors and people do it; the same seed, the same."""

import random
from collections.abc import Callable

from tests.corpus import shop

FORMS = ("csv", "gz", "jsonl", "parquet")
TOKENS = [
    *(b'"', b"'", b",", b";", b"\t", b"\r", b"\n", b"\r\n", b"\x00", b"\xff", b"\xef\xbb\xbf"),
    *(b"{", b"}", b"[", b"]", b"\\", b"\\u0000", b":", b"null", b"NaN", b"1e999", b"-", b"="),
    *(b"9" * 25, b"0.", b"PAR1", b"\x1f\x8b", b"\xe2\x80\x8b", b"\xed\xa0\x80", b"," * 50),
]
Mutation = Callable[[random.Random, bytes], bytes]
_GOOD: dict[str, bytes] = {}


def mutated(seed: str) -> tuple[str, bytes]:
    """One damaged file: its format and its bytes."""
    draw = random.Random(seed)
    form = draw.choice(FORMS)
    inside = form == "gz" and draw.random() < 0.5  # damage the text, or the compressed bytes
    data = _good("csv" if inside else form)
    for _ in range(draw.choice((1, 1, 1, 2, 3, 8))):
        data = draw.choice(MUTATIONS)(draw, data)
    return form, shop.zipped(data) if inside else data


def _good(form: str) -> bytes:
    if form not in _GOOD:
        _GOOD[form] = shop.to_bytes(shop.good_rows(), form)
    return _GOOD[form]


def _place(draw: random.Random, data: bytes) -> int:
    """Heads and tails hold what matters most: headers, footers, checksums."""
    ends = min(200, len(data))
    where = draw.random()
    if where < 0.2:
        return draw.randint(0, ends)
    return draw.randint(len(data) - ends, len(data)) if where < 0.4 else draw.randint(0, len(data))


def _flip(draw: random.Random, data: bytes) -> bytes:
    changed = bytearray(data)
    for _ in range(draw.choice((1, 1, 4, 64))):
        if changed:
            changed[min(_place(draw, data), len(changed) - 1)] ^= 1 << draw.randrange(8)
    return bytes(changed)


def _cut(draw: random.Random, data: bytes) -> bytes:
    at = _place(draw, data)
    return data[:at] if draw.random() < 0.5 else data[:at] + data[at + draw.randint(1, 500) :]


def _insert(draw: random.Random, data: bytes) -> bytes:
    at = _place(draw, data)
    token = draw.choice(TOKENS) if draw.random() < 0.8 else draw.randbytes(draw.randint(1, 300))
    return data[:at] + token * draw.choice((1, 1, 2, 30)) + data[at:]


def _duplicate(draw: random.Random, data: bytes) -> bytes:
    at = _place(draw, data)
    return data[:at] + data[at : at + draw.randint(1, 3_000)] * draw.choice((2, 5)) + data[at:]


def _splice(draw: random.Random, data: bytes) -> bytes:
    other = _good(draw.choice(FORMS))
    return data[: _place(draw, data)] + other[_place(draw, other) :]


def _overwrite(draw: random.Random, data: bytes) -> bytes:
    at, token = _place(draw, data), draw.choice(TOKENS)
    return data[:at] + token + data[at + len(token) :]


def _lines(draw: random.Random, data: bytes) -> bytes:
    lines = data.split(b"\n")
    one, two = draw.randrange(len(lines)), draw.randrange(len(lines))
    match draw.randrange(4):
        case 0:
            lines[one], lines[two] = lines[two], lines[one]
        case 1:
            lines.insert(one, lines[two])
        case 2:
            del lines[min(one, two) : max(one, two)]
        case _:
            lines[one] += lines[two]
    return b"\n".join(lines)


def _cells(draw: random.Random, data: bytes) -> bytes:
    cells = data.split(b",")
    for _ in range(draw.choice((1, 3, 30))):
        cells[draw.randrange(len(cells))] = draw.choice((*TOKENS, b"", b"   ", b"-1", b"\xc3\xa9"))
    return b",".join(cells)


MUTATIONS: list[Mutation] = [
    _flip,
    _cut,
    _insert,
    _duplicate,
    _splice,
    _overwrite,
    _lines,
    _cells,
]
