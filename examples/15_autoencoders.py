"""Autoencoders: noise taken away, what is strange told, and what they have to do with PCA.

Handwritten digits with Gaussian noise of 0.5. A denoising autoencoder is trained on clean digits to
which it adds noise itself; principal components, as many as the code has units, are the linear way
to the same end. The error of a reconstruction is also a measure of strangeness: an autoencoder
that has seen digits 0 to 4 only gives back the others badly. And an autoencoder without activation
finds the principal subspace itself.

    python examples/15_autoencoders.py
"""

import pathlib

import keras
import matplotlib

matplotlib.use("agg")
import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.metrics import roc_auc_score

from keras_dlnotes import plots
from keras_dlnotes.models import DenoisingAutoencoder, LinearAutoencoder

PICTURE = pathlib.Path(__file__).with_suffix(".png").name
CODE, NOISE = 32, 0.5

digits, labels = load_digits(return_X_y=True)
digits = (digits / 16).astype("float32")
train, test = digits[:1500], digits[1500:]
noisy = test + np.random.default_rng(1).normal(0, NOISE, test.shape).astype("float32")


def trained(autoencoder, x, epochs, rate):
    autoencoder.compile(keras.optimizers.Adam(rate), "mse")
    autoencoder.fit(x, batch_size=64, epochs=epochs, verbose=0)
    return autoencoder


def principal(x, count):
    return np.linalg.svd(x - x.mean(0), full_matrices=False)[2][:count]


denoiser = DenoisingAutoencoder(CODE, (128,), noise=NOISE, output_activation="sigmoid", seed=0)
trained(denoiser, train, 25, 3e-3)
restored = denoiser.reconstruct(noisy)
axes, mean = principal(train, CODE), train.mean(0)
projected = (noisy - mean) @ axes.T @ axes + mean

print(f"Squared error a pixel, {len(test)} digits never seen, noise {NOISE}:")
for name, pictures in (
    ("noisy", noisy),
    (f"{CODE} principal components", projected),
    (f"denoising autoencoder, code of {CODE}", restored),
):
    print(f"  {name:38} {np.mean((pictures - test) ** 2):.4f}")

known = labels < 5
watcher = trained(DenoisingAutoencoder(16, (64,), noise=0.2, seed=0), train[known[:1500]], 20, 3e-3)
scores = watcher.reconstruction_error(test)
strange = ~known[1500:]
print("\nTrained on digits 0 to 4 only, the error tells the others apart:")
near, far = scores[~strange].mean(), scores[strange].mean()
print(f"  mean error {near:.4f} for 0 to 4, {far:.4f} for 5 to 9")
print(f"  area under the ROC curve {roc_auc_score(strange, scores):.3f}")

linear = trained(LinearAutoencoder(4, seed=0), train, 60, 1e-2)
linear.optimizer.learning_rate = 1e-3
linear.fit(train, batch_size=256, epochs=20, verbose=0)
cosines = np.linalg.svd(linear.to_components() @ principal(train, 4).T)[1]
angle = np.degrees(np.arccos(np.clip(cosines.min(), 0, 1)))
print(
    f"\nWithout activations: {angle:.2f} degrees at most from the span of 4 principal components."
)

figure, panels = plt.subplots(
    5, 1, figsize=(8, 7.5), layout="constrained", height_ratios=[1] * 4 + [2]
)
names = ("clean", f"with noise of {NOISE}", f"{CODE} principal components", "denoising autoencoder")
rows = [pictures.clip(0, 1) for pictures in (test, noisy, projected, restored)]
plots.reconstructions(*rows, labels=names, count=12, ax=panels[:4])
bins = np.linspace(0, np.quantile(scores, 0.995), 40)
for chosen, name in ((~strange, "digits 0 to 4, as in training"), (strange, "digits 5 to 9")):
    panels[4].hist(scores[chosen], bins, alpha=0.6, label=name)
panels[4].set(xlabel="reconstruction error", ylabel="digits")
panels[4].legend()
figure.savefig(PICTURE, dpi=120)
print(f"\nThe picture is in {PICTURE}")
