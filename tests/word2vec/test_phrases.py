"""Phrases: scores against formulas and gensim, joining against a plain loop."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keras_dlnotes.word2vec.corpus import Corpus
from keras_dlnotes.word2vec.phrases import ENGLISH, Phrases
from keras_dlnotes.word2vec.text import word_pairs

TEXTS = st.lists(st.lists(st.sampled_from("abcd"), min_size=1, max_size=9), min_size=1)


def spans(sentence, connectors):
    """Where each word that connects nothing stands, and the next such word."""
    places = [n for n, word in enumerate(sentence) if word not in connectors]
    return itertools.pairwise(places)


def counted(sentences, connectors=""):
    single, pairs = {}, {}
    for sentence in sentences:
        for word in sentence:
            single[word] = single.get(word, 0) + 1
        for first, second in spans(sentence, connectors):
            pair = tuple(sentence[first : second + 1])
            pairs[pair] = pairs.get(pair, 0) + 1
    return single, pairs


@settings(max_examples=60, deadline=None)
@given(
    sentences=TEXTS,
    min_count=st.integers(1, 3),
    threshold=st.sampled_from([0.0, 0.9, 2.1]),
    block=st.sampled_from([1, 2, 5, 1000]),
    connectors=st.sampled_from(["", "d", "cd", "xcb"]),
)
def test_word2phrase_by_a_plain_loop(sentences, min_count, threshold, block, connectors):
    single, pairs = counted(sentences, connectors)
    total = sum(single.values())
    scores = {}
    for phrase, count in pairs.items():
        a, b = single[phrase[0]], single[phrase[-1]]
        score = (count - min_count) / a / b * total
        if min(a, b, count) >= min_count and score > threshold:
            scores[phrase] = score
    joined = []
    for sentence in sentences:
        following = dict(spans(sentence, connectors))
        new, n = [], 0
        while n < len(sentence):
            end = following.get(n, n)
            if tuple(sentence[n : end + 1]) not in scores:
                end = n
            new.append("+".join(sentence[n : end + 1]))
            n = end + 1
        joined.append(new)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(word_pairs, "BLOCK", block)
        corpus = Corpus.from_texts(sentences, min_count=1, sample=0.5)
        how = {"delimiter": "+", "connector_words": list(connectors)}
        phrases = Phrases(min_count, threshold, **how).fit(corpus)
        assert phrases.pairs == pytest.approx(scores)
        assert [phrases(sentence) for sentence in sentences] == joined
        new = phrases.transform(corpus, min_count=1)
    assert list(new.sentences()) == joined
    expected, _ = counted(joined)
    assert dict(zip(new.vocabulary.words, new.vocabulary.counts, strict=True)) == expected
    assert new.sample == 0.5


@pytest.mark.parametrize("connectors", [(), ENGLISH])
@pytest.mark.parametrize(
    ("scoring", "peer", "threshold"), [("gensim", "default", 1.0), ("npmi", "npmi", 0.3)]
)
def test_scores_are_gensims(scoring, peer, threshold, connectors):
    models = pytest.importorskip("gensim.models.phrases")
    generator = np.random.default_rng(1)
    words = np.array([f"w{n}" for n in range(17)] + ["of", "the", "in"])
    sentences = [generator.choice(words, 12).tolist() for _ in range(80)]
    for sentence in sentences[:30]:
        sentence[3:5] = ["new", "york"]
        sentence[6:10] = ["bank", "of", "the", "west"]
    expected = models.Phrases(
        sentences, min_count=3, threshold=threshold, scoring=peer, connector_words=connectors
    )
    ours = Phrases(3, threshold, scoring=scoring, connector_words=connectors).fit(sentences)
    assert ours.scores == pytest.approx(expected.export_phrases())
    assert "new_york" in list(ours.scores)[:2]
    assert ("bank_of_the_west" in ours.scores) == bool(connectors)
    assert [ours(s) for s in sentences] == [expected[s] for s in sentences]


def test_a_second_time_joins_more():
    text = [["new", "york", "times", "x", str(n)] for n in range(6)]
    corpus = Corpus.from_texts(text, min_count=1)
    phrases = Phrases(min_count=5, threshold=0.1)
    twice = phrases.fit_transform(phrases.fit_transform(corpus, 1), 5)
    assert twice.vocabulary.words == ["new_york_times_x"]


def test_connecting_words_by_name_are_gensims():
    models = pytest.importorskip("gensim.models.phrases")
    assert Phrases(connector_words="english").connector_words == models.ENGLISH_CONNECTOR_WORDS


def test_more_ways_to_connect_than_numbers(monkeypatch):
    corpus = Corpus.from_texts([["a", "of", "b"], ["a", "of", "of", "b"]], min_count=1)
    pairs = word_pairs.WordPairs(corpus, {"of"})
    pairs.words = range(1 << 31)
    with pytest.raises(ValueError, match="stand between others in 1 ways, too many"):
        list(pairs.blocks())


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
    phrases = Phrases(1, 0.1, delimiter=" ", connector_words=["ß"]).fit([["a", "ß", "ü"]] * 3)
    assert set(phrases.pairs) == {("a", "ß", "ü")}
    phrases.save(tmp_path / "p")
    loaded = Phrases.load(tmp_path / "p")
    assert vars(loaded) == vars(phrases)
    for content in (
        b"",
        b"{}",
        b'{"pairs": [["a", "b"]]}',
        b'{"pairs": [["a", 1.0]]}',
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
        ({"connector_words": "of"}, "`connector_words` must be a list of strings"),
        ({"connector_words": 3}, "`connector_words` must be a list of strings"),
        ({"connector_words": [3]}, "`connector_words` must be a list of strings"),
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
