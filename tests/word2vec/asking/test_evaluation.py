"""Analogies and word pairs: the same counts and coefficients as gensim's, question by question."""

import gzip

import numpy as np
import pytest

from keras_dlnotes.word2vec.asking.evaluation import correlation, ranks
from keras_dlnotes.word2vec.vectors import WordVectors

pytest.importorskip("gensim")

LETTERS = "abcdefghijkl"


@pytest.fixture(scope="module")
def vectors():
    """Words on a grid, so that many analogies hold, with noise, so that some do not."""
    generator = np.random.default_rng(4)
    rows = {a + b: [i, j] for i, a in enumerate(LETTERS) for j, b in enumerate(LETTERS)}
    axes = generator.normal(size=(2, len(LETTERS), 20))
    table = np.array([axes[0, i] + axes[1, j] for i, j in rows.values()])
    words = [word.upper() if n % 7 == 0 else word for n, word in enumerate(rows)]
    # The same words in another case, nearly in the same place: no answer, but in the way.
    words += [word.swapcase() for word in words[:30]]
    table = np.concatenate([table, table[:30]]) + generator.normal(size=(len(words), 20)) * 0.25
    return WordVectors(words, table.astype("float32"))


@pytest.fixture(scope="module")
def questions(tmp_path_factory):
    generator = np.random.default_rng(5)
    lines = []
    for section in ("first", "second part", "empty"):
        lines.append(f": {section}")
        for _ in range(60 if section != "empty" else 0):
            i, j, k, m = generator.choice(list(LETTERS), 4)
            lines.append(f"{i}{k} {i}{m} {j}{k} {j}{m}")
        lines += ["aa bb missing cc", "only three words", "aa ab ac ab"]
    path = tmp_path_factory.mktemp("q") / "questions.txt"
    path.write_text("\n".join(lines) + "\n")
    return path


@pytest.mark.parametrize("restrict_vocab", [300000, 100])
@pytest.mark.parametrize("case_insensitive", [True, False])
@pytest.mark.parametrize("dummy4unknown", [True, False])
def test_analogies(
    vectors, questions, monkeypatch, restrict_vocab, case_insensitive, dummy4unknown
):
    monkeypatch.setattr("keras_dlnotes.word2vec.asking.evaluation.QUESTIONS", 16)
    how = {
        "restrict_vocab": restrict_vocab,
        "case_insensitive": case_insensitive,
        "dummy4unknown": dummy4unknown,
    }
    score, sections = vectors.evaluate_word_analogies(questions, **how)
    expected, peer = vectors.to_gensim().evaluate_word_analogies(str(questions), **how)
    assert sections == peer
    assert score == expected
    assert 0.05 < score < 0.95


def test_cosmul_analogies(vectors, questions):
    """Against the single questions, one by one."""
    score, sections = vectors.evaluate_word_analogies(
        questions, case_insensitive=False, similarity_function="most_similar_cosmul"
    )
    assert 0.05 < score < 0.95
    for right, key in ((True, "correct"), (False, "incorrect")):
        for a, b, c, expected in sections[0][key]:
            if expected not in (a, b, c):
                answer = vectors.most_similar_cosmul([b, c], [a], topn=1)[0][0]
                assert (answer == expected) == right
    with pytest.raises(ValueError, match="`similarity_function` must be one of"):
        vectors.evaluate_word_analogies(questions, similarity_function="distance")


def test_analogies_need_a_section(vectors, tmp_path):
    (tmp_path / "q").write_text("aa ab ba bb\n")
    with pytest.raises(ValueError, match="no section before line 1"):
        vectors.evaluate_word_analogies(tmp_path / "q")
    (tmp_path / "q").write_bytes(gzip.compress(b": x\nmissing ab ba bb\n"))
    assert vectors.evaluate_word_analogies(tmp_path / "q")[0] == 0


@pytest.mark.parametrize("dummy4unknown", [True, False])
@pytest.mark.parametrize("delimiter", ["\t", ","])
def test_word_pairs(vectors, tmp_path, dummy4unknown, delimiter):
    generator = np.random.default_rng(6)
    lines = ["# a comment", "not a pair", "aa,bb\tx"]
    for n in range(40):
        first, second = generator.choice(vectors.words, 2)
        lines.append(delimiter.join([first, second, str(n // 3)]))
    lines.append(delimiter.join(["aa", "missing", "3"]))
    path = tmp_path / "pairs"
    path.write_text("\n".join(lines))
    how = {"delimiter": delimiter, "dummy4unknown": dummy4unknown}
    ours = vectors.evaluate_word_pairs(path, **how)
    peer = vectors.to_gensim().evaluate_word_pairs(str(path), **how)
    for a, b in zip(ours[:2], peer[:2], strict=True):
        np.testing.assert_allclose(a, tuple(b), rtol=1e-5)
    assert ours[2] == pytest.approx(peer[2])


def test_word_pairs_need_pairs(vectors, tmp_path):
    (tmp_path / "pairs").write_text("aa\tmissing\t3\n")
    with pytest.raises(ValueError, match="0 pairs of known words, 1 of unknown"):
        vectors.evaluate_word_pairs(tmp_path / "pairs")


def test_ranks_and_correlation():
    stats = pytest.importorskip("scipy.stats")
    x, y = np.random.default_rng(7).integers(0, 9, (2, 30))
    np.testing.assert_array_equal(ranks(x), stats.rankdata(x))
    np.testing.assert_allclose(correlation(x, y), tuple(stats.pearsonr(x, y)), rtol=1e-9)
    np.testing.assert_allclose(correlation(x, -x), (-1, 0), atol=1e-12)
