"""GradientMonitor on a model with a train step and row gradients of its own."""

import keras
import numpy as np
import pytest

from keras_dlnotes import optimizers
from keras_dlnotes.callbacks import GradientMonitor
from keras_dlnotes.word2vec import Corpus, Word2Vec


@pytest.mark.parametrize("make", [None, lambda: optimizers.SGD(0.01)], ids=["built in", "SGD"])
def test_word2vec(make):
    generator = np.random.default_rng(0)
    texts = [[f"w{i}" for i in generator.integers(0, 8, 12)] for _ in range(40)]
    corpus = Corpus.from_texts(texts, min_count=1, sample=None)
    model = Word2Vec(corpus.vocabulary, vector_size=4, window=2, seed=1)
    model.compile(learning_rate=0.1) if make is None else model.compile(make())
    before = {v.path: keras.ops.convert_to_numpy(v).copy() for v in model.trainable_variables}
    monitor = GradientMonitor(on_problem=None, details=1)
    model.fit(corpus.dataset(128, seed=2), epochs=2, verbose=0, callbacks=[monitor])
    history = monitor.history
    assert history["steps"][0] == history["steps"][1] > 1
    moved = {
        v.path: np.linalg.norm(keras.ops.convert_to_numpy(v) - before[v.path])
        for v in model.trainable_variables
    }
    for path, distance in moved.items():
        assert distance > 0
        assert (history["gradient_norm"][path] > 0).all()
        last = np.linalg.norm(keras.ops.convert_to_numpy(model.embeddings))
        if path == model.embeddings.path:
            np.testing.assert_allclose(history["weight_norm_last"][path][-1], last, rtol=1e-5)
    assert "apply" not in vars(model.optimizer)
