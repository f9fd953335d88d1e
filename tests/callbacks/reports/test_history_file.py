"""A CSV file that grows row by row is the one that is written at once."""

import csv
import itertools

import pytest

from keras_dlnotes.callbacks.measures.gradient_history import History
from keras_dlnotes.callbacks.reports.history_file import HistoryFile


def grown(history, rows):
    for row in range(rows):
        numbers = {"hidden": row + 0.5, "out": -row / 3}
        history.append({"epoch": row}, {"mean": numbers, "std": {"out": 1.0}})
    return history


def at_once(history, path):
    HistoryFile(str(path)).write(history, {"out": "variable"})
    return path.read_bytes()


@pytest.fixture
def file(tmp_path):
    return HistoryFile(str(tmp_path / "log.csv"))


def test_it_grows_to_what_is_written_at_once(file, tmp_path):
    history, seen = History(), []
    for row in range(4):
        history.append({"epoch": row}, {"mean": {"hidden": 0.1 * row}, "std": {}})
        file.write(history, {})
        seen.append((tmp_path / "log.csv").read_bytes())
    assert all(b.startswith(a) and len(b) > len(a) for a, b in itertools.pairwise(seen))
    assert seen[-1] == at_once(history, tmp_path / "other.csv")


def test_its_lines_are_the_history(file, tmp_path):
    file.write(grown(History(), 3), {"out": "variable"})
    with open(tmp_path / "log.csv", newline="") as text:
        rows = list(csv.DictReader(text))
    assert [row["epoch"] for row in rows] == ["0", "0", "1", "1", "2", "2"]
    assert rows[2] == {
        "epoch": "1",
        "kind": "layer",
        "name": "hidden",
        "mean": "1.5",
        "std": "nan",
    }
    assert rows[3]["kind"] == "variable"
    assert float(rows[3]["mean"]) == pytest.approx(-1 / 3)


@pytest.mark.parametrize("change", ["deleted", "cut", "another history"])
def test_what_it_cannot_go_on_with_is_written_anew(change, file, tmp_path):
    path, history = tmp_path / "log.csv", grown(History(), 2)
    file.write(history, {"out": "variable"})
    if change == "deleted":
        path.unlink()
    elif change == "cut":
        path.write_bytes(path.read_bytes()[:-5])
    else:
        history = grown(History(), 1)
    grown(history, 2)
    file.write(history, {"out": "variable"})
    assert path.read_bytes() == at_once(history, tmp_path / "other.csv")


def test_one_path_is_one_file(tmp_path):
    first = HistoryFile.for_fit(None, tmp_path / "a.csv")
    assert HistoryFile.for_fit(first, tmp_path / "a.csv") is first
    assert HistoryFile.for_fit(first, tmp_path / "b.csv") is not first
    assert HistoryFile.for_fit(first, None) is None
