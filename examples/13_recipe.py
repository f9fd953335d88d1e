"""Ten steps to train a multilayer perceptron, in one call that says what it did.

The recipe scales, initializes, normalizes, drops out, watches the gradients and stops in time, and
leaves a checklist: each step, what was chosen, why, and what was seen. Three tasks: handwritten
digits (classes), the same with the brakes off and too little data (over-fitting, and the words for
it), and the course of diabetes (a number). At the start of the road stands the perceptron, with the
proof of what it cannot learn.

    python examples/13_recipe.py
"""

import pathlib

import matplotlib

matplotlib.use("agg")
import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_diabetes, load_digits

from keras_dlnotes import recipe
from keras_dlnotes.models import Perceptron

PICTURE = pathlib.Path(__file__).with_suffix(".png").name

corners = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], "float32")
print("A single unit with a step learns AND, and proves that it cannot learn XOR:")
perceptron = Perceptron()
perceptron.learn(corners, [0, 0, 0, 1])
print("  AND:", perceptron.predict(corners, verbose=0).ravel().astype(int).tolist())
print("  XOR:", Perceptron.explain(corners, [0, 1, 1, 0]))

digits, labels = load_digits(return_X_y=True)
order = np.random.default_rng(0).permutation(len(digits))
digits, labels = digits[order], labels[order]
train, test = slice(0, 1400), slice(1400, None)
result = recipe.train(digits[train], labels[train], epochs=25, batch_size=64, patience=6, seed=0)
print("\nDigits, ten steps:\n")
print(result.checklist)
accuracy = np.mean(result.predict(digits[test]) == labels[test])
print(f"\nOf {len(labels[test])} digits never seen, {accuracy:.1%} are read rightly.")

few = slice(0, 120)
careless = recipe.train(
    digits[few],
    labels[few],
    dropout=0.0,
    batch_normalization=False,
    learning_rate=5e-3,
    epochs=20,
    patience=20,
    seed=0,
)
print("\nThe same with 120 digits, without dropout and without stopping:")
print(f"  {careless.fit}")

x, y = load_diabetes(return_X_y=True)
number = recipe.train(x, y / 100, hidden=(32,), epochs=25, patience=10, seed=0)
print(f"\nDiabetes: {number.task.name}, told from {number.task.reason};")
error = min(number.history.history["val_loss"])
print(f"  squared error {error:.3f} on what was held out, {np.var(y / 100):.3f} by the mean alone")

figure, axes = plt.subplots(1, 3, figsize=(12, 3.6), layout="constrained")
titles = ("digits, by the recipe", "120 digits, no brakes", "diabetes")
for ax, title, found in zip(axes, titles, (result, careless, number), strict=True):
    ax.plot(found.history.history["loss"], label="training")
    ax.plot(found.history.history["val_loss"], label="validation")
    ax.axvline(found.fit.epoch - 1, color="grey", linestyle=":", label="best")
    ax.set(title=f"{title}: {found.fit.verdict}", xlabel="epoch", ylabel="loss")
axes[0].legend()
figure.savefig(PICTURE, dpi=120)
print(f"\nThe picture is in {PICTURE}")
