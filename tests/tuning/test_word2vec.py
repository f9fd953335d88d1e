"""Searches over word vectors, on a made language whose structure is known."""

import keras
import keras_tuner
import numpy as np
import pytest

from keras_dlnotes.tuning import Word2VecHyperModel, tune
from keras_dlnotes.word2vec import Corpus

pytestmark = pytest.mark.tensorflow

#: Words of one kind stand in the same places, so that they are alike and those of others not.
KINDS = {kind: [f"{kind}{number}" for number in range(6)] for kind in ("animal", "colour", "verb")}
SMALL = {
    "vector_size": (4, 16),
    "window": (1, 3),
    "negative": (2, 5),
    "sample": 0,
    "learning_rate": (1e-3, 0.2),
    "batch_tokens": 64,
    "epochs": 2,
}
FIXED = {"vector_size": 8, "window": 2, "negative": 2, "learning_rate": 0.1}


@pytest.fixture(scope="module")
def corpus():
    generator = np.random.default_rng(0)
    texts = [
        [
            word
            for kind, words in KINDS.items()
            for word in (f"before_{kind}", generator.choice(words), f"after_{kind}")
        ]
        for _ in range(400)
    ]
    return Corpus.from_texts(texts, min_count=1)


@pytest.fixture(scope="module")
def questions(tmp_path_factory):
    """Pairs of words, 10 for those of one kind and 0 for others; and analogies."""
    folder = tmp_path_factory.mktemp("questions")
    words = [(kind, word) for kind, members in KINDS.items() for word in members]
    lines = [
        f"{first}\t{second}\t{10 * (kind == other)}"
        for kind, first in words
        for other, second in words
        if first < second
    ]
    (folder / "pairs.tsv").write_text("\n".join(lines))
    (folder / "analogies.txt").write_text(
        ": places\n"
        + "\n".join(
            f"before_{a} after_{a} before_{b} after_{b}" for a in KINDS for b in KINDS if a != b
        )
    )
    return folder


def run(corpus, directory, hypermodel, **more):
    options = {"max_trials": 3, "verbose": 0, "seed": 1}
    return tune(hypermodel, corpus, directory=str(directory), **{**options, **more})


def test_a_search_finds_vectors_that_score_what_their_trial_did(corpus, questions, tmp_path):
    def space():
        return Word2VecHyperModel(word_pairs=questions / "pairs.tsv", **SMALL)

    before = run(corpus, tmp_path / "a", space(), max_trials=2)
    result = run(corpus, tmp_path / "a", space(), max_trials=3)  # goes on
    known = {row["trial"]: row["score"] for row in before.trials}
    assert known.items() <= {row["trial"]: row["score"] for row in result.trials}.items()
    assert result.objective == "word_pairs"
    scores = [row["score"] for row in result.trials]
    assert scores == sorted(scores, reverse=True)
    assert scores[0] > scores[-1] + 0.05, "the range of learning rates goes from hardly to well"
    model = result.best_model()  # Raises if it does not score the same.
    vectors = model.vectors
    assert model.vector_size == result.best["vector_size"]
    assert vectors.similarity("animal0", "animal1") > vectors.similarity("animal0", "verb1")
    header = result.leaderboard().splitlines()[0].split()
    assert {"vector_size", "window", "negative", "learning_rate"} < set(header)
    assert run(corpus, tmp_path / "b", space(), max_trials=1).trials[0] in before.trials
    with pytest.raises(ValueError, match=r"another space .its settings differ"):
        run(corpus, tmp_path / "a", Word2VecHyperModel(word_pairs=questions / "pairs.tsv"))


def test_other_data_than_the_searchs_are_noticed(corpus, questions, tmp_path):
    space = Word2VecHyperModel(word_pairs=questions / "pairs.tsv", **SMALL)
    result = run(corpus, tmp_path, space, max_trials=1)
    (questions / "other.tsv").write_text("animal0\tverb1\t10\nanimal1\tanimal2\t0\nverb1\tverb2\t1")
    space.word_pairs = questions / "other.tsv"
    with pytest.raises(RuntimeError, match="The best model scores word_pairs="):
        result.best_model()


def test_hyperband_goes_on_down_the_same_line(corpus, questions, tmp_path):
    """The rate falls over all rungs together, and the share gone is known at each rung's start."""
    starts, decays = [], []

    class Watched(Word2VecHyperModel):
        def fit(self, hp, model, *data, **more):
            rung = (more.get("initial_epoch", 0), more["epochs"])
            starts.append(rung)
            watch = keras.callbacks.LambdaCallback(
                on_epoch_end=lambda epoch, logs: decays.append((epoch, float(model.decay)))
            )
            more["callbacks"] = [*more["callbacks"], watch]
            return super().fit(hp, model, *data, **more)

    hypermodel = Watched(
        questions / "analogies.txt",
        questions / "pairs.tsv",
        **{**SMALL, **FIXED, "negative": (2, 5)},
    )
    result = run(corpus, tmp_path, hypermodel, tuner="hyperband", max_epochs=2, factor=2)
    assert result.objective == "analogies"
    assert set(starts) == {(0, 1), (1, 2), (0, 2)}
    for epoch, decay in decays:
        assert decay == pytest.approx(max(1 - (epoch + 1) / 2, 1e-4), abs=1e-6)
    result.best_model()


def test_architectures_outputs_and_a_text_held_out(corpus, questions, tmp_path):
    space = Word2VecHyperModel(
        word_pairs=questions / "pairs.tsv",
        architectures="cbow",
        outputs=("hierarchical_softmax", "negative_sampling"),
        **{**SMALL, **FIXED, "sample": 1e-2, "epochs": 1},
    )
    seen = []
    space.fit = lambda *a, fit=space.fit, **k: seen.append(fit(*a, **k).history) or seen[-1]
    result = run(corpus, tmp_path, space, tuner="grid", max_trials=20, validation=0.2)
    assert {row["output"] for row in result.trials} == {"hierarchical_softmax", "negative_sampling"}
    assert all(np.isfinite(history["val_loss"]).all() for history in seen)


def test_every_name_is_there_whatever_the_values(corpus):
    space = Word2VecHyperModel(word_pairs="pairs.tsv", outputs="hierarchical_softmax")
    space.prepare(corpus)
    hp = keras_tuner.HyperParameters()
    space.build(hp)
    assert set(hp.values) == {
        "vector_size",
        "window",
        "negative",
        "sample",
        "learning_rate",
        "architecture",
        "output",
        "batch_tokens",
        "epochs",
    }


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"word_pairs": None}, "Received: analogies=None"),
        ({"vector_size": 0}, "Received: vector_size=0"),
        ({"window": (5, 2)}, r"Received: window=\(5, 2\)"),
        ({"negative": 0}, "Received: negative=0"),
        ({"sample": (0, 1e-3)}, r"Received: sample=\(0, 0.001\)"),
        ({"learning_rate": -1}, "Received: learning_rate=-1"),
        ({"architectures": "glove"}, "Received: architectures='glove'"),
        ({"outputs": "softmax"}, "Received: outputs='softmax'"),
        ({"epochs": 0}, "Received: epochs=0"),
    ],
)
def test_rejects(arguments, message):
    with pytest.raises(ValueError, match=message):
        Word2VecHyperModel(**{"word_pairs": "pairs.tsv", **arguments})


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"folds": 2}, "Received: folds=2"),
        ({"objective": "val_loss"}, r"'word_pairs'. Received: objective='val_loss'"),
        ({"y": [1]}, r"Received: y=\[1\]"),
        ({"validation": 2}, "Received: validation=2"),
    ],
)
def test_rejects_before_the_first_trial(more, message, corpus, questions, tmp_path):
    space = Word2VecHyperModel(word_pairs=questions / "pairs.tsv", **SMALL)
    with pytest.raises(ValueError, match=message):
        run(corpus, tmp_path, space, **more)
    assert not list(tmp_path.rglob("trial*"))


def test_questions_about_other_words_are_refused(corpus, questions, tmp_path):
    (tmp_path / "capitals.txt").write_text(": capitals\nAthens Greece Oslo Norway\n")
    with pytest.raises(ValueError, match="None of the analogies"):
        run(corpus, tmp_path, Word2VecHyperModel(tmp_path / "capitals.txt", **SMALL))
    with pytest.raises(ValueError, match="be a Corpus"):
        tune(Word2VecHyperModel(questions / "analogies.txt"), np.ones((3, 4)))
