"""Deep or traditional learning? A neural net against two classics as the data grows.

The task is scikit-learn's handwritten digits, each somewhere on a larger canvas, so that no single
pixel tells much: hard for a linear model however much it sees. The net is ahead here and costs
the most time; a random forest, with nothing to tune, closes the gap as the data grows.

    python examples/12_deep_or_traditional.py
"""

import pathlib
import time

import keras
import matplotlib

matplotlib.use("agg")
import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import keras_dlnotes as dl

PICTURE = pathlib.Path(__file__).with_suffix(".png").name
SIZES = (100, 400, 1600, 6400)
CANVAS, TEST = 10, 2000

digits, labels = load_digits(return_X_y=True)
digits = (digits / 16).reshape(-1, 8, 8).astype("float32")
generator = np.random.default_rng(0)
order = generator.permutation(len(digits))


def placed(indices, count):
    """Pictures of `count` digits drawn from these, each somewhere on the canvas, with noise."""
    chosen = generator.choice(indices, count)
    canvas = generator.normal(0, 0.1, (count, CANVAS, CANVAS)).astype("float32")
    corners = generator.integers(0, CANVAS - 7, (count, 2))
    for picture, (row, column), digit in zip(canvas, corners, digits[chosen], strict=True):
        picture[row : row + 8, column : column + 8] += digit
    return canvas.reshape(count, -1), labels[chosen]


def mlp(x, y):
    """Two hidden layers with the remedies of the notes; more passes where there is less data."""
    keras.utils.set_random_seed(0)
    layers = [keras.Input((x.shape[1],))]
    for k in range(2):
        initializer = dl.initializers.HeNormal(seed=k)
        layers.append(keras.layers.Dense(256, use_bias=False, kernel_initializer=initializer))
        layers += [dl.layers.BatchNormalization(momentum=0.9), dl.layers.ReLU()]
        layers.append(dl.layers.Dropout(0.3))
    model = keras.Sequential([*layers, keras.layers.Dense(10)])
    model.compile(
        dl.optimizers.Adam(1e-3), dl.losses.SparseCategoricalCrossentropy(from_logits=True)
    )
    epochs = int(np.clip(20_000 / len(x), 4, 30))
    cycle = dl.callbacks.OneCycle(5e-3)
    model.fit(x, y, batch_size=64, epochs=epochs, callbacks=[cycle], verbose=0)
    return lambda inputs: model.predict(inputs, batch_size=1000, verbose=0).argmax(1)


def classic(estimator):
    return lambda x, y: estimator().fit(x, y).predict


learners = {
    "logistic regression": classic(
        lambda: make_pipeline(StandardScaler(), LogisticRegression(C=0.1, max_iter=200))
    ),
    "random forest": classic(lambda: RandomForestClassifier(50, random_state=0, n_jobs=2)),
    "neural net": mlp,
}
x_train, y_train = placed(order[:1200], max(SIZES))
x_test, y_test = placed(order[1200:], TEST)
figure, ax = plt.subplots(figsize=(7.5, 5), layout="constrained")
print(f"{'accuracy with':22}" + "".join(f"{size:>9,}" for size in SIZES) + f"{'seconds':>10}")
for (name, learn), style in zip(learners.items(), ("s:", "^--", "o-"), strict=True):
    began, accuracies = time.perf_counter(), []
    for size in SIZES:
        predict = learn(x_train[:size], y_train[:size])
        accuracies.append(np.mean(predict(x_test) == y_test))
    seconds = time.perf_counter() - began
    print(f"{name:22}" + "".join(f"{a:9.1%}" for a in accuracies) + f"{seconds:10.1f}")
    ax.semilogx(SIZES, accuracies, style, label=name)

ax.set(xlabel="training examples", ylabel=f"accuracy on {TEST:,} others")
ax.set_xticks(SIZES, [f"{size:,}" for size in SIZES], minor=False)
ax.minorticks_off()
ax.set_title("Handwritten digits anywhere on a canvas")
ax.legend()
figure.savefig(PICTURE, dpi=120)
print(f"\nThe picture is in {PICTURE}")
