"""Rosenblatt's perceptron, where the road to deep nets begins, and what it cannot learn."""

import dataclasses

import keras
import numpy as np
from keras import ops

from keras_dlnotes import _checks
from keras_dlnotes._believed import Sized
from keras_dlnotes._saving import serializable


@serializable
class Perceptron(Sized, keras.Model):
    """One unit with a step activation, trained by the perceptron rule.

    For each example in turn, with ``z = x . w + b`` and ``prediction = 1 if z >= 0 else 0``:

        w = w + learning_rate * (y - prediction) * x
        b = b + learning_rate * (y - prediction)

    The rule is ordinary stochastic gradient descent on half the squared error, one example a step,
    with a straight-through gradient for the step; so `fit` is Keras' own. If a line separates the
    classes the rule finds one in finitely many steps (Novikoff); if none does it never settles, and
    `explain` says so with a proof.

    Args:
        learning_rate: Float in (0, inf). Size of a correction. Defaults to 1.0.

    Example:
        >>> x = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], "float32")
        >>> perceptron = Perceptron()
        >>> history = perceptron.learn(x, [0, 0, 0, 1])
        >>> perceptron.predict(x, verbose=0).ravel().astype(int).tolist()
        [0, 0, 0, 1]
        >>> print(Perceptron.explain(x, [0, 1, 1, 0]))
        No line separates these classes: the point (0.5, 0.5) is a mixture of examples of class 0
        (0, 3) and also one of class 1 (1, 2), so it would have to lie on both sides.

    Reference: Rosenblatt, 1958; Novikoff, 1962.
    """

    def __init__(self, learning_rate=1.0, **kwargs):
        super().__init__(**kwargs)
        self.learning_rate = _checks.number("learning_rate", learning_rate, "(0, inf)")
        self.unit = keras.layers.Dense(1, kernel_initializer="zeros", name="unit")
        optimizer = keras.optimizers.SGD(self.learning_rate)
        self.compile(optimizer, half_squared_error, metrics=["accuracy"])

    def build(self, input_shape):
        self.unit.build(input_shape)
        self.built = True

    def call(self, inputs):
        z = self.unit(inputs)
        fired = ops.cast(z >= 0, z.dtype)
        # Zero, with the gradient of `z`: added to `fired` it rounds nothing, however large `z` is.
        return fired + (z - ops.stop_gradient(z))

    def learn(self, x, y, max_epochs=100, verbose=0):
        """Applies the rule, example after example, until an epoch brings no mistake.

        Returns the Keras history. If `max_epochs` pass and mistakes remain, a warning carries what
        `explain` has to say about the data.
        """
        x, y = checked_examples(x, y)
        history = self.fit(
            x,
            y[:, None],
            batch_size=1,
            epochs=max_epochs,
            shuffle=False,
            verbose=verbose,
            callbacks=[StopWithoutMistakes()],
        )
        if np.any(self.predict(x, verbose=0).ravel() != y):
            import warnings

            told = self.explain(x, y)
            warnings.warn(f"Mistakes remain after {max_epochs} epochs. {told}", stacklevel=2)
        return history

    @staticmethod
    def explain(x, y):
        """Says whether one line can separate the classes, with the evidence for it."""
        return str(separability(x, y))

    def get_config(self):
        return {"name": self.name, "learning_rate": self.learning_rate}

    def compile_from_config(self, config):
        """Nothing to do: the constructor compiles, since the rule is part of the model."""


@serializable
def half_squared_error(y_true, y_pred):
    """Its gradient is the perceptron's correction, ``prediction - y``."""
    return ops.sum(ops.square(y_pred - ops.cast(y_true, y_pred.dtype)), axis=-1) / 2


class StopWithoutMistakes(keras.callbacks.Callback):
    """Ends training after an epoch in which no weight moved, which is what the theorem promises."""

    def on_epoch_end(self, epoch, logs=None):
        if logs["loss"] == 0:
            self.model.stop_training = True


@dataclasses.dataclass
class Separability:
    """Either a line (``normal . x + offset``, positive on class 1) or a point of both hulls."""

    separable: bool
    normal: np.ndarray | None = None
    offset: float | None = None
    point: np.ndarray | None = None
    mixtures: tuple = ()

    def __str__(self):
        if self.separable:
            terms = " ".join(f"{w:+.3g} x{i}" for i, w in enumerate(self.normal))
            return f"A line separates these classes: {terms} {self.offset:+.3g} = 0."
        spot = "(" + ", ".join(f"{v:.3g}" for v in self.point) + ")"
        zero, one = (", ".join(map(str, m)) for m in self.mixtures)
        return (
            f"No line separates these classes: the point {spot} is a mixture of examples of "
            f"class 0 ({zero}) and also one of class 1 ({one}), so it would have to lie on "
            "both sides."
        )


def checked_examples(x, y):
    x, y = np.asarray(x, "float64"), np.asarray(y).ravel()
    if x.ndim != 2 or len(x) != len(y) or not len(x):
        raise ValueError(
            "`x` must have shape (examples, features) and `y` one label for each. "
            f"Received: x of shape {x.shape}, y of shape {y.shape}"
        )
    if not np.all(np.isin(y, (0, 1))):
        _checks.fail("y", "hold labels 0 and 1 only", sorted(set(y.tolist()))[:5])
    return x, y.astype("float64")


def separability(x, y):
    """Decides linear separability by non-negative least squares.

    Write each example as ``a = sign * (x, 1)``. Either some ``w`` has ``a . w > 0`` for all (a
    line), or a convex combination of the ``a`` is zero (the hulls of the classes meet), never both
    (Gordan, 1873). The shortest convex combination tells which: its length is zero, or it is ``w``.
    """
    try:
        from scipy.optimize import nnls
    except ImportError as error:
        raise ImportError('Needs SciPy: pip install "keras-dlnotes[tuner]"') from error
    x, y = checked_examples(x, y)
    # Centred and scaled, so that what counts as zero does not depend on the units of the data.
    centre, scale = x.mean(0), x.std(0)
    scale[scale == 0] = 1
    signed = np.c_[(x - centre) / scale, np.ones(len(x))] * np.where(y == 1, 1, -1)[:, None]
    # min |A^T m| with m >= 0 and sum(m) = 1 has the same direction as min |A^T m|^2 + (sum(m)-1)^2.
    system = np.r_[signed.T, np.ones((1, len(x)))]
    mixture, _ = nnls(system, np.r_[np.zeros(signed.shape[1]), 1.0], maxiter=100 * len(x))
    shortest = signed.T @ mixture / mixture.sum()
    if np.linalg.norm(shortest) > 1e-7:
        normal = shortest[:-1] / scale
        return Separability(True, normal, float(shortest[-1] - normal @ centre))
    groups = [np.flatnonzero((mixture > 1e-9) & (y == label)) for label in (0, 1)]
    part = mixture * (y == 1)
    point = part @ x / part.sum()
    return Separability(False, point=point, mixtures=tuple(g.tolist() for g in groups))
