"""A version's files of comparison: built once, and again when they are of no use."""

from pathlib import Path

from trimtab.stages.watch.kept import kept
from trimtab.types import Record


class Counted(Record):
    rows: int
    asked: str = "a"


def test_built_once_and_again_when_gone_or_of_an_earlier_make(tmp_path: Path) -> None:
    path, built = tmp_path / "profiles" / "counted.json", []

    def build() -> Counted:
        built.append(len(built))
        return Counted(rows=len(built))

    assert [kept(path, Counted, build).rows for _ in range(2)] == [1, 1]
    path.unlink()
    assert kept(path, Counted, build).rows == 2
    path.write_text('{"lines": 3}')
    assert kept(path, Counted, build).rows == 3, "an earlier trimtab called rows otherwise"
    path.write_text('{"rows"')
    assert kept(path, Counted, build).rows == 4, "half a file"
    assert kept(path, Counted, build, lambda found: found.asked == "b").rows == 5, "it does not fit"
    assert kept(path, Counted, build).rows == 5
