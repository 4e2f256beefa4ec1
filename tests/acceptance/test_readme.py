"""What the README shows works as it stands there: files, commands, code, links."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
README, CONTRIBUTING = ROOT / "README.md", ROOT / "CONTRIBUTING.md"
BIN = Path(sys.executable).parent
_BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\]\((?!https?:|mailto:|#)([^)#\s]+)")
_MAKE = re.compile(r"(?:^|`)make ([a-z]+)", re.MULTILINE)


@dataclass(frozen=True)
class Block:
    """One fenced block: its language and its text."""

    language: str
    text: str


def blocks(file: Path) -> list[Block]:
    return [Block(*found.groups()) for found in _BLOCK.finditer(file.read_text())]


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Path]:
    for folder in [tmp_path, *tmp_path.parents][:3]:  # PostgreSQL of root runs as somebody else
        folder.chmod(folder.stat().st_mode | 0o055)
    yield tmp_path
    run(tmp_path, f"{BIN}/trimtab down")


def run(project: Path, *command: str) -> None:
    """Run one line of shell, or a program; it must end well."""
    ours = ("AIRFLOW", "TRIMTAB", "PYTHONPATH")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    path = f"{BIN}{os.pathsep}{kept.get('PATH', '')}"
    done = subprocess.run(
        command if len(command) > 1 else ["sh", "-c", *command],
        cwd=project,
        env={**kept, "PATH": path},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"


def follow(block: Block, project: Path) -> str:
    """Do what a reader would do with a block; return what kind of thing that was."""
    if block.language == "yaml":
        name = block.text.split("\n", 1)[0].removeprefix("# ")
        assert name.startswith("config/"), f"a yaml block does not say which file it is: {name}"
        file = project / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(block.text)
    elif block.language == "python":
        run(project, sys.executable, "-c", block.text)
    elif block.language == "sh":
        for line in filter(None, block.text.splitlines()):
            run(project, line)
    else:
        assert block.text.startswith("make "), f"nobody can follow this block:\n{block.text}"
        return "make"
    return block.language


@pytest.mark.platform
def test_the_readme_can_be_followed(project: Path) -> None:
    done = [follow(block, project) for block in blocks(README)]
    assert {"make", "yaml", "python", "sh"} == set(done)  # the blocks were found
    assert (project / "predictions.parquet").is_file()


@pytest.mark.parametrize("page", [README, CONTRIBUTING], ids=lambda page: page.name)
def test_every_make_target_it_names_exists(page: Path) -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = set(_MAKE.findall(page.read_text()))
    assert {"test"} <= named <= targets


@pytest.mark.parametrize("page", [README, CONTRIBUTING], ids=lambda page: page.name)
def test_every_local_link_leads_somewhere(page: Path) -> None:
    links = _LINK.findall(page.read_text())
    assert [link for link in links if not (page.parent / link).exists()] == []


def test_every_verb_the_readme_names_is_one() -> None:
    from trimtab.cli import app

    verbs = {command.name or command.callback.__name__ for command in app.registered_commands}
    named = set(re.findall(r"(?:^|`)trimtab ([a-z]+)", README.read_text(), re.MULTILINE))
    assert {"run", "up"} <= named <= verbs
