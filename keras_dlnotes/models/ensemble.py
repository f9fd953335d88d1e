"""Several models as one, and how different they are."""

import dataclasses
import itertools

import keras
import numpy as np
from keras import ops

from keras_dlnotes import _checks
from keras_dlnotes._believed import counted, discounted
from keras_dlnotes._saving import serializable
from keras_dlnotes.models.data import as_array


@serializable
class Ensemble(keras.Model):
    """The combined prediction of several models with equal inputs and outputs.

        "average"   mean of the outputs
        "weighted"  sum of weights[i] * output[i], the weights non-negative with sum 1
        "vote"      share of the members whose largest output is this class

    The ensemble's squared error is the members' mean error minus their spread around the ensemble
    (Krogh and Vedelsby), which is why different members help: `diversity` reports it.

    Args:
        members: Keras models. They are part of the ensemble and are trained and saved with it.
            Where they have several outputs, each is combined for itself.
        combine: "average", "weighted" or "vote". Defaults to "average".
        weights: Non-negative floats, one a member, for "weighted"; scaled to sum 1. Defaults to
            equal ones; `fit_weights` finds better ones.
        threshold: Float. Where one output stands for two classes, what is above it is a vote for
            class 1: 0.5 for probabilities, 0 for logits. Defaults to 0.5.

    Example:
        >>> members = [keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)]) for _ in "abc"]
        >>> ensemble = Ensemble(members)
        >>> x = np.ones((4, 3), "float32")
        >>> mean = np.mean([member.predict(x, verbose=0) for member in members], axis=0)
        >>> bool(np.allclose(ensemble.predict(x, verbose=0), mean, atol=1e-6))
        True

    Reference: [Krogh & Vedelsby, 1995](https://papers.nips.cc/paper/1001)
    """

    def __init__(self, members, combine="average", weights=None, *, threshold=0.5, **kwargs):
        super().__init__(**kwargs)
        members = list(members) if isinstance(members, (list, tuple)) else [members]
        if not members or not all(isinstance(member, keras.Model) for member in members):
            _checks.fail("members", "be Keras models, at least one", members)
        shapes = {str(m.output_shape) for m in members if m.built and hasattr(m, "output_shape")}
        if len(shapes) > 1:
            _checks.fail("members", "have equal output shapes", sorted(shapes))
        self.members = members
        self.combine = _checks.one_of("combine", combine, ("average", "weighted", "vote"))
        self.threshold = _checks.number("threshold", threshold)
        if weights is not None and combine != "weighted":
            _checks.fail("weights", 'be None unless combine="weighted"', weights)
        weights = np.ones(len(members)) if weights is None else np.asarray(weights, "float64")
        if weights.shape != (len(members),) or not np.all(weights >= 0) or not weights.sum() > 0:
            _checks.fail("weights", f"be {len(members)} non-negative numbers", weights.tolist())
        self.shares = self.add_weight(
            (len(members),), "zeros", trainable=False, name="shares", dtype="float32"
        )
        self.shares.assign(weights / weights.sum())
        self.built = all(member.built for member in members)

    def build(self, input_shape):
        for member in self.members:
            if not member.built:
                member.build(input_shape)
        self.built = True

    def call(self, inputs, training=None):
        outputs = [member(inputs, training=training) for member in self.members]
        return keras.tree.map_structure(self._combined, *outputs)

    def _combined(self, *outputs):
        """What the members say of one output, as one."""
        if self.combine == "vote":
            outputs = [votes(output, self.threshold) for output in outputs]
        shares = ops.unstack(ops.cast(self.shares, outputs[0].dtype))
        return sum(share * output for share, output in zip(shares, outputs, strict=True))

    def compute_output_shape(self, input_shape):
        return self.members[0].compute_output_shape(input_shape)

    def member_predictions(self, x, batch_size=256):
        """Array of shape (members, examples, ...): what each member says of `x`."""
        said = [m.predict(x, batch_size=batch_size, verbose=0) for m in self.members]
        if isinstance(said[0], (list, tuple, dict)):
            raise ValueError("Members with several outputs cannot be compared as one array.")
        return np.stack(said)

    def fit_weights(self, x, y, loss, steps=500):
        """Finds the weights with the lowest `loss` on held-out data, by exponentiated gradient.

        Args:
            x, y: Held-out data; on the training data the most over-fitted member would win.
            loss: A Keras loss.
            steps: Integer. Defaults to 500.

        Returns:
            The weights, which the ensemble from now on uses.
        """
        if self.combine != "weighted":
            raise ValueError(f'Only combine="weighted" has weights. Received: {self.combine!r}')
        predictions = ops.convert_to_tensor(self.member_predictions(x))
        loss = keras.losses.get(loss)
        logits = keras.Variable(np.log(np.maximum(ops.convert_to_numpy(self.shares), 1e-3)))
        mixture = Mixture(predictions, logits)
        mixture.compile(keras.optimizers.Adam(0.1), loss)
        batch = np.arange(len(y)), np.asarray(y)
        # One epoch of many steps: an epoch of one step is mostly the beginning of an epoch.
        batches = (batch for _ in itertools.count())
        mixture.fit(batches, steps_per_epoch=steps, shuffle=False, verbose=0)
        self.shares.assign(ops.softmax(logits))
        return ops.convert_to_numpy(self.shares)

    def diversity(self, x, y, batch_size=256):
        """How different the members are on labelled data; see `Diversity`."""
        said, y = self.member_predictions(x, batch_size), _labels(y)
        binary = said.shape[2:] in ((), (1,)) and np.isin(y, (0, 1)).all()
        return measure_diversity(said, y, self.threshold if binary else None)

    def get_config(self):
        config = {
            "name": self.name,
            "members": [keras.saving.serialize_keras_object(member) for member in self.members],
            "combine": self.combine,
            "threshold": self.threshold,
        }
        return counted(config, "members")

    @classmethod
    def from_config(cls, config):
        config = discounted(config, "members")
        members = [keras.saving.deserialize_keras_object(member) for member in config["members"]]
        return cls(**{**config, "members": members})


class Mixture(keras.Model):
    """Chooses weights over fixed predictions; `fit` does the optimisation."""

    def __init__(self, predictions, logits):
        super().__init__()
        self.predictions, self.logits = predictions, logits
        self.built = True

    def call(self, rows):
        chosen = ops.take(self.predictions, ops.cast(ops.reshape(rows, (-1,)), "int32"), axis=1)
        return ops.tensordot(ops.softmax(self.logits), chosen, axes=1)


def votes(output, threshold):
    """A vote for the likeliest class: the largest, or 1 above the threshold where there is one."""
    if output.shape[-1] == 1:
        return ops.cast(output > threshold, output.dtype)
    return ops.one_hot(ops.argmax(output, axis=-1), output.shape[-1], dtype=output.dtype)


@dataclasses.dataclass
class Diversity:
    """Differences between the members of an ensemble.

    Attributes:
        disagreement: Matrix. Share of the examples on which two members predict different classes,
            or mean squared difference for regression.
        error_correlation: Matrix. Correlation of two members' errors; low or negative is good.
        member_errors: Error rate of each member, or mean squared error.
        ensemble_error: The same of their average.
    """

    disagreement: np.ndarray
    error_correlation: np.ndarray
    member_errors: np.ndarray
    ensemble_error: float

    def __str__(self):
        count = len(self.member_errors)
        pairs = np.triu_indices(count, 1)

        def mean(matrix):
            return float(np.mean(matrix[pairs])) if count > 1 else float("nan")

        return (
            f"{count} members, error {self.member_errors.mean():.4f} on average and "
            f"{self.ensemble_error:.4f} together; mean disagreement "
            f"{mean(self.disagreement):.4f}, mean correlation of errors "
            f"{mean(self.error_correlation):.3f}"
        )


def measure_diversity(predictions, y, threshold=None):
    """Compares predictions of shape (members, examples, outputs) with labels.

    Several outputs with whole numbers as labels, or with rows that hold a single 1, are taken as
    classes; all else as regression, unless `threshold` says where class 1 of two begins.

    Example:
        >>> print(measure_diversity(np.array([[[2.0], [1.0]], [[0.0], [1.0]]]), np.array([1.0, 1])))
        2 members, error 0.5000 on average and 0.0000 together; mean disagreement 2.0000, mean
        correlation of errors -1.000
    """
    predictions, y = np.asarray(predictions, "float64"), _labels(y)
    if predictions.ndim < 2 or not y.ndim or predictions.shape[1] != len(y):
        raise ValueError(
            "Predictions must have shape (members, examples, ...), with a label for each example. "
            f"Received: predictions of shape {predictions.shape}, labels of shape {y.shape}"
        )
    members, examples = predictions.shape[:2]
    outputs = predictions.reshape(members, examples, -1)
    classes = outputs.shape[2] > 1 and (y.ndim == 1 or y.shape[-1] in (1, outputs.shape[2]))
    whole = np.all(y == np.round(y))
    if (classes and whole) or threshold is not None:
        labels = y.argmax(-1) if y.ndim == 2 and y.shape[-1] > 1 else y.ravel()

        def decided(values):
            return values.argmax(-1) if threshold is None else values[..., 0] > threshold

        said = decided(outputs)
        errors = (said != labels).astype("float64")
        together = float(np.mean(decided(outputs.mean(0)) != labels))
        disagreement = np.mean(said[:, None] != said[None], axis=-1)
        size = errors.mean(1)
    else:
        target = np.asarray(y, "float64").reshape(examples, -1)
        errors = (outputs - target).reshape(members, -1)
        together = float(np.mean((outputs.mean(0) - target) ** 2))
        flat = outputs.reshape(members, -1)
        disagreement = np.mean((flat[:, None] - flat[None]) ** 2, axis=-1)
        size = np.mean(errors**2, axis=1)
    centred = errors - errors.mean(1, keepdims=True)
    norms = np.sqrt(np.sum(centred**2, axis=1))
    with np.errstate(invalid="ignore", divide="ignore"):
        correlation = centred @ centred.T / np.outer(norms, norms)
    return Diversity(disagreement, correlation, size, together)


def _labels(y):
    y = as_array(y)
    if y.dtype.kind not in "biuf":
        raise ValueError(
            f"Labels must be numbers, or the numbers of classes. Received: labels of type {y.dtype}"
        )
    return y
