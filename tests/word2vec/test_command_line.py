"""The command line: word2vec.c's flags, and the questions."""

import numpy as np
import pytest

from keras_dlnotes.word2vec.__main__ import main, training_flags
from keras_dlnotes.word2vec.vectors import WordVectors
from keras_dlnotes.word2vec.vocabulary import Vocabulary


def run(capsys, *arguments):
    status = main([str(argument) for argument in arguments])
    return status, *capsys.readouterr()


@pytest.fixture
def file(tmp_path):
    words = ["king", "man", "woman", "queen", "apple"]
    table = np.array([[3, 1, 0], [0, 1, 0], [0, 0, 1], [3, 0, 1], [-1, 1, 1]], "float32")
    WordVectors(words, table).save_word2vec_format(tmp_path / "v.bin", binary=True)
    return tmp_path / "v.bin"


def test_similar(file, capsys):
    status, out, _ = run(capsys, "similar", file, "king", "man", "-n", 2)
    assert status == 0
    assert [line.split("\t")[:2] for line in out.splitlines()] == [
        ["king", "queen"], ["king", "man"], ["man", "apple"], ["man", "king"],
    ]  # fmt: skip
    assert out.splitlines()[0].endswith("0.9000")


def test_analogy(file, capsys):
    _, out, _ = run(capsys, "analogy", file, "man", "king", "woman", "-n", 1)
    assert out == "queen\t0.7904\n"


def test_evaluate(file, capsys, tmp_path):
    (tmp_path / "q").write_text(": royal\nman king woman queen\nman king woman missing\n")
    (tmp_path / "p").write_text("king\tqueen\t9\nking\tapple\t0\nking\tman\t3\n")
    _, out, _ = run(capsys, "evaluate", file, tmp_path / "q", tmp_path / "p")
    lines = [line.split("\t") for line in out.splitlines()]
    assert lines[:2] == [["royal", "1.000", "1/1"], ["Total accuracy", "1.000", "1/1"]]
    assert lines[2][1] == "spearman 1.000"


def test_errors_are_one_line(file, capsys, tmp_path):
    status, out, err = run(capsys, "similar", file, "qeen")
    assert (status, out) == (1, "")
    assert err == "Error: 'qeen' is not among the 5 words; similar ones are 'queen'\n"
    assert run(capsys, "similar", tmp_path / "missing", "a")[0] == 1
    both = ("-train", file, "-output", "o", "-hs", 1, "-negative", 5)
    assert "Choose one output" in run(capsys, *both)[2]
    assert "Choose one output" in run(capsys, "-train", file, "-negative", 0)[2]
    with pytest.raises(SystemExit):
        main(["-train", "x", "-unknown", "1"])
    with pytest.raises(SystemExit):
        main([])


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (("-output", "nowhere/v"), "There is no directory 'nowhere' for 'v'"),
        (("-output", "."), "'.' is a directory, not a file"),
        (("-save-vocab", "nowhere/v"), "There is no directory 'nowhere' for 'v'"),
        (("-size", 0), "Argument `-size` must be an integer of at least 1"),
        (("-iter", 0), "Argument `-iter` must be an integer of at least 1"),
        (("-min-count", 0), "Argument `-min-count` must be an integer of at least 1"),
        (("-classes", -1), "Argument `-classes` must be an integer of at least 0"),
        (("-alpha", 0), "Argument `-alpha` must be in (0, inf)"),
    ],
)
def test_what_is_wrong_is_said_before_the_text_is_read(
    capsys, tmp_path, monkeypatch, flags, message
):
    monkeypatch.chdir(tmp_path)
    status, _, err = run(capsys, "-train", "no such text", "-output", "v", *flags)
    assert status == 1
    assert err.startswith(f"Error: {message}")


@pytest.mark.tensorflow
@pytest.mark.filterwarnings("default")
def test_warnings_are_one_line_without_a_place_in_the_code(capsys, tmp_path):
    (tmp_path / "text").write_text("a b c\n" * 20)
    files = ("-train", tmp_path / "text", "-output", tmp_path / "v")
    _, _, err = run(capsys, *files, "-size", 2, "-iter", 1, "-sample", 1e-9, "-debug", 0)
    warned = [line for line in err.splitlines() if line]
    assert warned
    assert all(line.startswith("Warning: ") for line in warned)
    assert ".py" not in err


def test_defaults_are_those_of_word2vec():
    flags = vars(training_flags().parse_args(["-train", "x"]))
    expected = {
        "size": 100, "window": 5, "sample": 1e-3, "hs": 0, "iter": 5, "min_count": 5,
        "classes": 0, "binary": 0, "cbow": 1, "threads": 12, "debug": 2,
    }  # fmt: skip
    assert {name: flags[name] for name in expected} == expected


def test_counting_only(capsys, tmp_path):
    (tmp_path / "text").write_text("a b a\na c\n")
    status, _, _ = run(
        capsys, "-train", tmp_path / "text", "-min-count", 1, "-save-vocab", tmp_path / "v"
    )
    assert status == 0
    assert Vocabulary.load(tmp_path / "v").words == ["a", "c", "b"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["text", "v"]


@pytest.mark.tensorflow
@pytest.mark.filterwarnings("ignore:Your input ran out of data")
def test_training_writes_vectors_and_classes(capsys, tmp_path):
    pytest.importorskip("keras_dlnotes.word2vec.model")
    (tmp_path / "text").write_text("one two three four five six\n" * 300)
    (tmp_path / "v").write_text("</s> 300\none 300\ntwo 300\nthree 300\nrare 1\n")
    common = ("-train", tmp_path / "text", "-output", tmp_path / "o", "-size", 4, "-iter", 1)
    status, _, err = run(capsys, *common, "-binary", 1, "-save-vocab", tmp_path / "saved")
    assert status == 0, err
    assert "Progress: 100.00%" in err
    assert "Left: 0:00" in err
    vectors = WordVectors.load_word2vec_format(tmp_path / "o", binary=True)
    assert (vectors.vector_size, vectors.words) == (4, Vocabulary.load(tmp_path / "saved").words)
    status, _, err = run(
        capsys, *common, "-hs", 1, "-cbow", 0, "-debug", 0, "-read-vocab", tmp_path / "v",
        "-classes", 2,
    )  # fmt: skip
    assert (status, err) == (0, "")
    classes = dict(line.split() for line in (tmp_path / "o").read_text().splitlines())
    assert classes.keys() == {"one", "two", "three"}
    assert set(classes.values()) <= {"0", "1"}
