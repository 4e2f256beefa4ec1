"""C: encodings. D: structure."""

import random

from tests.corpus import shop
from tests.corpus.case import ACCEPTED, aside, on_rows, on_text, refused


def _lines(text: str) -> tuple[str, list[str]]:
    header, *rows = text.splitlines()
    return header, rows


def _joined(header: str, rows: list[str]) -> str:
    return "\n".join([header, *rows]) + "\n"


@on_text("C01", ACCEPTED)
def utf8_bom(text: str) -> bytes:
    return text.encode("utf-8-sig")


@on_text("C02", refused("bad_encoding"))
def utf16_bom(text: str) -> bytes:
    return text.encode("utf-16")


@on_text("C03", refused("nul_byte"))
def utf16_bare(text: str) -> bytes:
    return text.replace("ï", "i").replace("é", "e").encode("utf-16-le")


@on_text("C04", refused("bad_encoding"))
def latin1_byte(text: str) -> bytes:
    return text.encode().replace(b"call first", b"caf\xe9 first", 1)


@on_text("C05", refused("bad_encoding"))
def mixed_cp1252(text: str) -> bytes:
    return text.encode().replace(b"gift", b"\x93gift\x94 \x96")


@on_text("C06", refused("nul_byte"))
def nul_byte(text: str) -> bytes:
    return text.encode().replace(b"gift", b"gi\x00ft", 1)


@on_text("C07", ACCEPTED)
def crlf(text: str) -> str:
    return text.replace("\n", "\r\n")


@on_text("C08", refused("bad_line_ends"))
def cr_only(text: str) -> str:
    return text.replace("\n", "\r")


@on_rows("C09", aside(bad_enum=2), parquet=True)
def zero_width_space(rows: list[shop.Row]) -> None:
    rows[3]["country"] = "DE\u200b"
    rows[9]["channel"] = "\u200bweb"


@on_text("C10", refused("missing_column"))
def cyrillic_header(text: str) -> str:
    return text.replace("age", "\u0430ge", 1)


@on_text("D01", refused("header_mismatch"))
def semicolons(text: str) -> str:
    return text.replace(",", ";")


@on_text("D02", refused("header_mismatch"))
def tabs(text: str) -> str:
    return text.replace(",", "\t")


@on_text("D03", refused("header_mismatch"))
def no_header(text: str) -> str:
    return text.split("\n", 1)[1]


@on_text("D04", refused("duplicate_header"))
def header_twice(text: str) -> str:
    header, rows = _lines(text)
    return _joined(f"{header},age", [f"{row},30" for row in rows])


@on_text("D05", refused("missing_column"))
def dropped(_text: str) -> str:
    kept = [name for name in shop.COLUMNS if name != "age"]
    return shop.to_csv(shop.good_rows(), kept, extrasaction="ignore")


@on_text("D06", refused("unexpected_column"))
def extra_column(text: str) -> str:
    header, rows = _lines(text)
    return _joined(f"{header},loyalty", [f"{row},gold" for row in rows])


@on_text("D07", refused("missing_column"))
def renamed(text: str) -> str:
    return text.replace("customer", "client", 1)


@on_text("D08", ACCEPTED)
def reordered(_text: str) -> str:
    return shop.to_csv(shop.good_rows(), shop.COLUMNS[::-1])


@on_text("D09", refused("missing_column"))
def case_and_blank(text: str) -> str:
    return text.replace("order_id", "Order_ID", 1).replace("country", " country", 1)


@on_text("D10", aside(ragged_row=3))
def too_many_fields(text: str) -> str:
    header, rows = _lines(text)
    for position in (4, 50, 120):
        rows[position] += ",more,and more"
    return _joined(header, rows)


@on_text("D11", aside(ragged_row=1))
def cut_last_row(text: str) -> str:
    return text[: text.rstrip().rindex(",") - 20]


@on_text("D12", refused("unterminated_quote"))
def open_quote(text: str) -> str:
    return text.replace("gift", '"gift', 1)


@on_text("D13", ACCEPTED)
def quoted(_text: str) -> str:
    import csv

    return shop.to_csv(shop.good_rows(), quoting=csv.QUOTE_ALL)


@on_rows("D14", aside(oversized_cell=1))
def long_cell(rows: list[shop.Row]) -> None:
    rows[7]["note"] = random.Random(7).randbytes(2_000_000).hex()  # 4M characters, not packable


@on_text("D15", refused("header_mismatch"))
def title_lines(text: str) -> str:
    return f"Orders of the day\nexported by till 4\n{text}"


@on_text("D16", aside(bad_id_format=1))
def totals_row(text: str) -> str:
    return text + "TOTAL,,,,,,823,,50000.12,,,,\n"


@on_text("D17", refused("too_many_columns"))
def very_wide(text: str) -> str:
    header, rows = _lines(text)
    more = ",".join(f"c{number}" for number in range(20_000))
    return _joined(f"{header},{more}", [row + "," * 20_000 for row in rows[:30]])


@on_text("D18", refused("missing_column"))
def damaged_header(text: str) -> str:
    header, rows = _lines(text)
    return _joined(header[:40] + "\ufffd\ufffd#" + header[47:], rows)


@on_text("D19", aside(bad_id_format=1))
def header_again(text: str) -> str:
    header, rows = _lines(text)
    return _joined(header, [*rows[:80], header, *rows[80:]])
