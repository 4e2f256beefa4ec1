import socket
from pathlib import Path

import pytest

from trimtab.errors import TrimtabError
from trimtab.platform import ports


@pytest.fixture
def taken() -> int:
    with socket.socket() as listener:
        listener.bind((ports.HOST, 0))
        listener.listen()
        yield listener.getsockname()[1]


def free() -> int:
    with socket.socket() as probe:
        probe.bind((ports.HOST, 0))
        return int(probe.getsockname()[1])


def test_a_given_port_is_used_and_remembered(tmp_path: Path) -> None:
    wanted = free()
    assert ports.choose(tmp_path, {"airflow": wanted})["airflow"] == wanted
    assert ports.choose(tmp_path, {})["airflow"] == wanted


def test_a_given_port_that_is_taken_is_an_error(tmp_path: Path, taken: int) -> None:
    with pytest.raises(TrimtabError, match=f"port {taken} for airflow is taken"):
        ports.choose(tmp_path, {"airflow": taken})


def test_one_port_for_two_pages_is_an_error(tmp_path: Path) -> None:
    wanted = free()
    with pytest.raises(TrimtabError, match="for mlflow is taken"):
        ports.choose(tmp_path, {"airflow": wanted, "mlflow": wanted})


def test_taken_usual_ports_give_way_to_free_ones(
    tmp_path: Path, taken: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ports, "USUAL", {"airflow": taken, "mlflow": taken})
    chosen = ports.choose(tmp_path, {})
    assert len({taken, *chosen.values()}) == 3
    assert all(ports.is_free(port) for port in chosen.values())
