"""Phrases: scores against formulas and gensim, joining against a plain loop."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keras_dlnotes.word2vec import phrases as module
from keras_dlnotes.word2vec.corpus import Corpus
from keras_dlnotes.word2vec.phrases import Phrases

TEXTS = st.lists(st.lists(st.sampled_from("abcd"), min_size=1, max_size=9), min_size=1)


def counted(sentences):
    single, pairs = {}, {}
    for sentence in sentences:
        for n, word in enumerate(sentence):
            single[word] = single.get(word, 0) + 1
            if n:
                pair = (sentence[n - 1], word)
                pairs[pair] = pairs.get(pair, 0) + 1
    return single, pairs


@settings(max_examples=60, deadline=None)
@given(
    sentences=TEXTS,
    min_count=st.integers(1, 3),
    threshold=st.sampled_from([0.0, 0.9, 2.1]),
    block=st.sampled_from([1, 2, 5, 1000]),
)
def test_word2phrase_by_a_plain_loop(sentences, min_count, threshold, block):
    single, pairs = counted(sentences)
    total = sum(single.values())
    scores = {
        (a, b): (count - min_count) / single[a] / single[b] * total
        for (a, b), count in pairs.items()
        if min(single[a], single[b], count) >= min_count
    }
    scores = {pair: score for pair, score in scores.items() if score > threshold}
    joined = []
    for sentence in sentences:
        new, n = [], 0
        while n < len(sentence):
            two = n + 1 < len(sentence) and (sentence[n], sentence[n + 1]) in scores
            new.append("+".join(sentence[n : n + 1 + two]))
            n += 1 + two
        joined.append(new)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "BLOCK", block)
        corpus = Corpus.from_texts(sentences, min_count=1, sample=0.5)
        phrases = Phrases(min_count, threshold, delimiter="+").fit(corpus)
        assert phrases.pairs == pytest.approx(scores)
        assert [phrases(sentence) for sentence in sentences] == joined
        new = phrases.transform(corpus, min_count=1)
    assert list(new.sentences()) == joined
    expected, _ = counted(joined)
    assert dict(zip(new.vocabulary.words, new.vocabulary.counts, strict=True)) == expected
    assert new.sample == 0.5


@pytest.mark.parametrize(
    ("scoring", "peer", "threshold"), [("gensim", "default", 1.0), ("npmi", "npmi", 0.3)]
)
def test_scores_are_gensims(scoring, peer, threshold):
    models = pytest.importorskip("gensim.models.phrases")
    generator = np.random.default_rng(1)
    words = np.array([f"w{n}" for n in range(20)])
    sentences = [generator.choice(words, 12).tolist() for _ in range(80)]
    for sentence in sentences[:30]:
        sentence[3:5] = ["new", "york"]
    expected = models.Phrases(sentences, min_count=3, threshold=threshold, scoring=peer)
    ours = Phrases(3, threshold, scoring=scoring).fit(sentences)
    assert ours.scores == pytest.approx(expected.export_phrases())
    assert "new_york" in ours.scores
    assert next(iter(ours.scores)) == "new_york"
    assert [ours(s) for s in sentences] == [expected[s] for s in sentences]


def test_a_second_time_joins_more():
    text = [["new", "york", "times", "x", str(n)] for n in range(6)]
    corpus = Corpus.from_texts(text, min_count=1)
    phrases = Phrases(min_count=5, threshold=0.1)
    twice = phrases.fit_transform(phrases.fit_transform(corpus, 1), 5)
    assert twice.vocabulary.words == ["new_york_times_x"]


def test_words_that_join_to_one_that_is_there():
    corpus = Corpus.from_texts([["a", "b"]] * 3 + [["a_b"]], min_count=1)
    phrases = Phrases(1, 0.1).fit(corpus)
    new = phrases.transform(corpus, min_count=1)
    assert (new.vocabulary.words, new.vocabulary.counts.tolist()) == (["a_b"], [4])


def test_special_words_stay_alone():
    corpus = Corpus.from_texts(
        [["a", "b", "rare"]] * 3, min_count=1, drop=["rare"], unknown="<unk>"
    )
    phrases = Phrases(1, 0.1).fit(corpus)
    assert set(phrases.pairs) == {("a", "b")}
    new = phrases.transform(corpus, min_count=1)
    assert (new.vocabulary.words, new.vocabulary.unknown) == (["<unk>", "a_b"], "<unk>")


def test_save_and_load(tmp_path):
    phrases = Phrases(1, 0.1, delimiter=" ").fit([["a", "ü"]] * 3)
    phrases.save(tmp_path / "p")
    loaded = Phrases.load(tmp_path / "p")
    assert vars(loaded) == vars(phrases)
    for content in (
        b"",
        b"{}",
        b'{"pairs": [["a", "b"]]}',
        b"[]",
        b'{"pairs": [], "min_count": 0}',
    ):
        (tmp_path / "p").write_bytes(content)
        with pytest.raises(ValueError, match="holds no phrases"):
            Phrases.load(tmp_path / "p")


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ({"min_count": 0}, "`min_count` must be an integer"),
        ({"threshold": -1}, r"`threshold` must be in \[0, inf\)"),
        ({"threshold": 1.5, "scoring": "npmi"}, r"`threshold` must be in \[-1, 1\]"),
        ({"scoring": "best"}, "`scoring` must be one of"),
        ({"delimiter": 3}, "`delimiter` must be a string"),
    ],
)
def test_bad_arguments(how, message):
    with pytest.raises(ValueError, match=message):
        Phrases(**how)


def test_one_string_is_no_sentence():
    with pytest.raises(ValueError, match="`sentence` must be a list, not one string"):
        Phrases()("a day in new york")
    with pytest.raises(ValueError, match="seen no text yet"):
        Phrases()(["a", "day"])
    with pytest.raises(ValueError, match="`corpus` must be a Corpus"):
        Phrases().transform(["a day in new york"])
