"""A search that was killed in the middle of any of its writes goes on."""

import json
import pathlib
import shutil

import fire_search
import pytest

from keras_dlnotes.tuning.mending import DRAFT
from keras_dlnotes.tuning.project import claim

pytestmark = pytest.mark.tensorflow
TRIALS = 2


@pytest.fixture
def moments(tmp_path, monkeypatch):
    """Copies of a search's directory as each write begins and when half of it is done."""
    from keras_tuner.src import utils

    write, copies, whole = utils.save_json, [], tmp_path / "whole"

    def watched(path, content):
        for part in (None, 0.5):
            copies.append(tmp_path / f"moment-{len(copies)}")
            shutil.copytree(whole, copies[-1])
            if part is not None:
                text = json.dumps(content)
                target = copies[-1] / pathlib.Path(path).relative_to(whole)
                target.write_text(text[: int(part * len(text))])
        return write(path, content)

    whole.mkdir()
    monkeypatch.setattr(utils, "save_json", watched)
    rows = fire_search.rows(whole, TRIALS)
    monkeypatch.undo()
    assert len(copies) >= 2 * 4 * TRIALS
    return copies, rows


def resumes(copies, rows):
    for copy in copies:
        (copy / "runs").unlink(missing_ok=True)
        begun = len(list(copy.glob("tuning/search/trial_*/trial.backup")))
        assert fire_search.rows(copy, TRIALS) == rows, copy
        ran = len((copy / "runs").read_text()) if (copy / "runs").exists() else 0
        assert ran <= TRIALS - begun + 1  # No trial that had ended.


def test_killed_in_a_write(moments):
    copies, rows = moments
    resumes(copies[::5], rows)


@pytest.mark.long
def test_killed_in_any_write(moments):
    resumes(*moments)


@pytest.mark.parametrize("name", ["trial_0/trial", "oracle"])
def test_what_cannot_be_mended_is_said(name, tmp_path):
    rows, search = fire_search.rows(tmp_path, 1), tmp_path / "tuning" / "search"
    (search / f"{name}.json").write_text("{")
    assert fire_search.rows(tmp_path, 1) == rows  # from the copy
    (search / f"{name}.json").write_text("{")
    (search / f"{name}.backup").write_text("{")
    with pytest.raises(ValueError, match=r"is damaged; pass overwrite=True"):
        fire_search.rows(tmp_path, 1)


def test_a_draft_is_nobody_s(tmp_path):
    """Killed in the very first write."""
    project = tmp_path / "search"
    project.mkdir()
    (project / f"{DRAFT}x").write_text("{")
    claim(project, {"space": 1}, False)
    claim(project, {"space": 1}, False)
    assert [path.name for path in project.iterdir()] == ["space.json"]


def test_only_the_chief_claims_a_directory(tmp_path, monkeypatch):
    """Workers may come first, or find it half made, or about to be made anew."""
    project, space = tmp_path / "search", {"space": 1}

    def as_(role, *arguments):
        monkeypatch.setenv("KERASTUNER_ORACLE_IP", "127.0.0.1")
        monkeypatch.setenv("KERASTUNER_TUNER_ID", role)
        claim(project, *arguments)

    as_("worker0", space, False)
    assert not project.exists()
    project.mkdir()
    (project / f"{DRAFT}x").write_text("{")
    as_("worker0", space, False)
    (project / "oracle.json").write_text("{")
    as_("worker0", space, False)
    assert not (project / "space.json").exists()
    (project / "oracle.json").unlink()
    as_("chief", space, False)
    as_("worker0", space, False)
    as_("worker0", {"space": 2}, True)
    assert json.loads((project / "space.json").read_text()) == space
    with pytest.raises(ValueError, match="another space"):
        as_("worker0", {"space": 2}, False)
    as_("chief", {"space": 2}, True)
    as_("worker0", {"space": 2}, False)
