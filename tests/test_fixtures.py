"""Files that earlier versions saved are read by this one: `tests/fixtures/<version>`."""

import keras
import numpy as np
import pytest
from fixtures_make import FOLDERS, X

from keras_dlnotes.word2vec import Corpus, Vocabulary, Word2Vec, WordVectors


@pytest.mark.parametrize("folder", sorted(FOLDERS.iterdir()), ids=lambda path: path.name)
def test_files_of_earlier_versions(folder):
    expected = np.load(folder / "expected.npz")
    # Keras 3.14 refuses the initializers' configs that 3.15, which wrote them, gave new fields.
    for name in ("mlp", "layers") if hasattr(keras.optimizers, "MultiOptimizer") else ("mlp",):
        model = keras.saving.load_model(folder / f"{name}.keras")
        y = keras.ops.convert_to_numpy(model(X))
        np.testing.assert_allclose(y, expected[name], rtol=1e-5, atol=1e-6)
        assert type(model.optimizer).__module__.startswith("keras_dlnotes")
        assert int(model.optimizer.iterations) == 2
        assert model.loss.delta == 2.0
    words = keras.saving.load_model(folder / "word2vec.keras")
    assert isinstance(words, Word2Vec)
    np.testing.assert_array_equal(words.vectors.vectors, expected["vectors"])
    for name in ("vectors.npz", "vectors.bin", "vectors.txt"):
        vectors = WordVectors.load(folder / name)
        assert set(vectors.words) == {"the", "cat", "saw", "dog"}
        np.testing.assert_array_equal(vectors.get_index("the"), 0)
        np.testing.assert_array_equal(vectors["the"], expected["vectors"][0])
    corpus = Corpus.load(folder / "text.corpus")
    assert next(corpus.sentences()) == ["the", "cat", "saw", "the", "dog"]
    vocabulary = Vocabulary.load(folder / "vocabulary.txt")
    assert (vocabulary.words, vocabulary.unknown) == (["<unk>", "a", "b"], "<unk>")
