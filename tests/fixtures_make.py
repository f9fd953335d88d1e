"""Writes the files that every later version must read: `python tests/fixtures_make.py NAME`.

Run once for a version, or where what is saved has changed in between, into a directory named so;
what is there is never made anew. Run it with the oldest Keras supported, as a user's file may be of
any.
"""

import pathlib
import sys

import keras
import numpy as np

import keras_dlnotes as dl

FOLDERS = pathlib.Path(__file__).parent / "fixtures"
X = np.linspace(-1, 1, 12, dtype="float32").reshape(4, 3)


def nets():
    yield "mlp", dl.models.MLP(2, (4,), batch_normalization=True, dropout=0.1, input_shape=(3,))
    yield (
        "layers",
        keras.Sequential(
            [
                keras.Input((3,)),
                dl.layers.GaussianCorruption(0.1, seed=1),
                keras.layers.Dense(
                    4,
                    kernel_initializer=dl.initializers.HeNormal(seed=1),
                    kernel_regularizer=dl.regularizers.L2(1e-3),
                    activation=dl.activations.mish,
                ),
                dl.layers.PReLU(),
                dl.layers.MaxoutDense(3, 2),
                dl.layers.WeightNormalization(keras.layers.Dense(2)),
            ]
        ),
    )


def main(folder):
    folder.mkdir(parents=True)
    keras.utils.set_random_seed(1)
    expected = {}
    for name, model in nets():
        rate = dl.schedules.OneCycle(0.01, 10)
        model.compile(dl.optimizers.Adam(rate), dl.losses.Huber(delta=2.0))
        model.fit(X, X[:, :2], epochs=2, verbose=0)
        model.save(folder / f"{name}.keras")
        expected[name] = model.predict(X, verbose=0)
    corpus = dl.word2vec.Corpus.from_texts(["the cat saw the dog", "the dog"] * 9, min_count=1)
    words = dl.word2vec.Word2Vec(corpus.vocabulary, 4, 2, output="hierarchical_softmax")
    words.compile()
    words.fit(corpus.dataset(32, seed=1), epochs=1, verbose=0)
    words.save(folder / "word2vec.keras")
    expected["vectors"] = words.vectors.vectors
    words.vectors.save(folder / "vectors.npz")
    words.vectors.save_word2vec_format(folder / "vectors.bin", binary=True)
    words.vectors.save_word2vec_format(folder / "vectors.txt")
    corpus.save(folder / "text.corpus")
    dl.word2vec.Vocabulary(["<unk>", "a", "b"], [1, 5, 3], ("<unk>",), "<unk>").save(
        folder / "vocabulary.txt"
    )
    np.savez(folder / "expected.npz", **expected)


if __name__ == "__main__":
    main(FOLDERS / sys.argv[1])
