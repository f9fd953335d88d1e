"""A search for hyper-parameters: what is worth trying, what came of it, which knob matters.

Five trials on handwritten digits, drawn at random from the MLP's search space: layers, units,
activation with its initializer, dropout, normalization, penalty, optimizer with its own range of
learning rates, schedule and batch size. The leaderboard shows them best first, the picture the
score against each hyper-parameter. Called again with the same directory, the search goes on where
it was; the best model is verified to score what its trial did.

    python examples/14_tuning.py
"""

import pathlib
import tempfile
import time

import matplotlib

matplotlib.use("agg")
import numpy as np
from sklearn.datasets import load_digits

from keras_dlnotes.tuning import MLPHyperModel, tune

PICTURE = pathlib.Path(__file__).with_suffix(".png").name

digits, labels = load_digits(return_X_y=True)
order = np.random.default_rng(0).permutation(len(digits))
digits, labels = digits[order], labels[order]
train, test = slice(0, 1000), slice(1000, None)
space = {"hidden_layers": (1, 2), "units": (16, 128), "batch_sizes": (64, 128), "seed": 0}


hypermodel = MLPHyperModel(epochs=8, **space)


def search(directory, trials):
    return tune(
        hypermodel,
        digits[train],
        labels[train],
        max_trials=trials,
        directory=directory,
        monitor=False,
        verbose=0,
    )


with tempfile.TemporaryDirectory() as directory:
    began = time.perf_counter()
    result = search(directory, 5)
    print(f"Random search, {len(result.trials)} trials, {time.perf_counter() - began:.0f} s:\n")
    for row in result.trials:
        layers = [row[f"units_{i + 1}"] for i in range(row["hidden_layers"])]
        rate = row[f"learning_rate_{row['optimizer']}"]
        print(
            f"  {row['score']:.1%}  layers {layers}, {row['activation']}, "
            f"{row['optimizer']} at {rate:.2g}, {row['schedule']}, batches of {row['batch_size']}"
        )

    print("\nAsked again for six, it goes on with the one that is missing:\n")
    result = search(directory, 6)
    print(result.leaderboard(top=3))

    model = result.best_model()  # an error if it does not score what its trial scored
    found = model.predict(digits[test], verbose=0).argmax(1)
    print(
        f"\nThe best trial scored {result.best['score']:.1%} on what was held out; its model reads "
        f"{np.mean(found == labels[test]):.1%} of {len(found)} digits that no trial has seen."
    )
    axes = result.plot()

figure = axes[0].figure
figure.suptitle("Validation accuracy against each hyper-parameter")
figure.savefig(PICTURE, dpi=120)
print(f"\nThe picture is in {PICTURE}")
