import numpy as np
import pytest

from keras_dlnotes.word2vec.batches import Batches


def text(words=5000, seed=0):
    rng = np.random.default_rng(seed)
    starts = np.unique(np.concatenate([[0], rng.integers(0, words, words // 20)]))
    return rng.integers(0, 50, words).astype("int32"), starts


def epoch(batches, number=0):
    steps = list(batches.epoch(number))
    return {key: np.concatenate([step[key] for step in steps]) for key in steps[0]}


@pytest.mark.parametrize("shuffle", [True, False])
@pytest.mark.parametrize("batch_tokens", [1, 7, 32, 100, 1000, 6000])
def test_every_word_is_a_centre_once_with_its_surroundings(batch_tokens, shuffle):
    tokens = np.arange(3000, dtype="int32")
    starts = text(3000)[1]
    number = np.searchsorted(starts, tokens, side="right")
    batches = Batches(
        tokens,
        starts,
        batch_tokens=batch_tokens,
        window=3,
        seed=1,
        shuffle=shuffle,
        block_words=700,
    )
    all_ = epoch(batches)
    rows, sentences = (
        all_[key].reshape(-1, all_[key].shape[-1]) for key in ("tokens", "sentences")
    )
    centres, real = rows[:, 3:-3], sentences[:, 3:-3] >= 0
    assert sorted(centres[real]) == list(range(3000))
    assert all_["words"].sum() == 3000 == batches.total_words
    for row, of in zip(rows, sentences, strict=True):
        for place in np.flatnonzero(of[3:-3] >= 0) + 3:
            near = [other for other in range(place - 3, place + 4) if of[other] == of[place]]
            word = row[place]
            expected = [
                w for w in range(word - 3, word + 4) if 0 <= w < 3000 and number[w] == number[word]
            ]
            assert sorted(row[near]) == expected


def test_thinning_follows_the_probabilities_anew_in_each_epoch():
    tokens, starts = text(200_000)
    keep = np.linspace(0.05, 1, 50).astype("float32")
    batches = Batches(tokens, starts, keep, batch_tokens=512, window=2, seed=3)
    first, second = epoch(batches, 0), epoch(batches, 1)
    for one in (first, second):
        inner = one["tokens"][..., 2:-2][one["sentences"][..., 2:-2] >= 0]
        share = np.bincount(inner, minlength=50) / np.bincount(tokens, minlength=50)
        np.testing.assert_allclose(share, keep, atol=0.03)
        assert one["words"].sum() == 200_000
    assert (
        first["tokens"].shape != second["tokens"].shape
        or (first["tokens"] != second["tokens"]).any()
    )
    again = epoch(Batches(tokens, starts, keep, batch_tokens=512, window=2, seed=3), 1)
    assert all((again[key] == second[key]).all() for key in again)


def test_shards_divide_the_text():
    tokens, starts = np.arange(4000, dtype="int32"), np.arange(0, 4000, 10)
    parts = [
        epoch(Batches(tokens, starts, window=1, num_shards=3, shard_index=i, seed=1))
        for i in range(3)
    ]
    seen = [part["tokens"][..., 1:-1][part["sentences"][..., 1:-1] >= 0] for part in parts]
    assert sorted(np.concatenate(seen)) == list(range(4000))


def test_a_sentence_of_any_length_is_whole():
    tokens = np.arange(25_000, dtype="int32")
    one = epoch(Batches(tokens, np.array([0]), window=2, shuffle=False))
    assert len(np.unique(one["sentences"][one["sentences"] >= 0])) == 1


@pytest.mark.tensorflow
def test_the_dataset_gives_fixed_shapes_and_goes_on():
    tokens, starts = text()
    dataset = Batches(tokens, starts, batch_tokens=1024, window=4, seed=0).dataset()
    assert dataset.total_words == 5000
    first, second = ([step["tokens"].numpy() for step in dataset] for _ in range(2))
    assert {step.shape for step in first + second} == {(2, 520)}
    assert any((a != b).any() for a, b in zip(first, second, strict=True))


@pytest.mark.parametrize(
    "bad", [{"batch_tokens": 0}, {"window": 0}, {"num_shards": 2, "shard_index": 2}, {"seed": -1}]
)
def test_bad_arguments(bad):
    with pytest.raises(ValueError, match=str(next(reversed(bad)))):
        Batches(np.arange(5), np.array([0]), **bad)


def test_an_empty_text():
    with pytest.raises(ValueError, match="empty"):
        Batches(np.zeros(0, int), np.array([0]))
