"""Directions in weight space along which a loss is looked at."""

from dataclasses import dataclass, field

import keras
import numpy as np
from keras import ops

from keras_dlnotes import _checks
from keras_dlnotes.diagnostics._evaluator import float_weights


@dataclass
class Directions:
    """One or two directions, the coordinates worth looking at, and what they are.

    ``arrays`` holds for each direction a list of arrays, one for each floating-point weight of the
    model in the order of ``model.weights``; ``spans`` the range of coordinates for each.
    ``explained`` is the share of the trajectory's variance on each (PCA), else None.
    """

    arrays: list = field(repr=False)
    spans: list
    kind: str
    explained: np.ndarray | None = None

    def __len__(self):
        return len(self.arrays)

    def coordinates(self, model, snapshots):
        """Where weights lie in the plane through the model's: least squares, a row each."""
        origin = _flat(_values(model))
        basis = np.stack([_flat(direction) for direction in self.arrays], axis=1)
        offsets = np.stack([_flat(snapshot) - origin for snapshot in snapshots])
        return np.linalg.lstsq(basis, offsets.T, rcond=None)[0].T


def random_directions(model, dimensions=2, *, normalize="filter", everything=False, seed=0):
    """Random directions in which every filter is as long as the model's own.

    A net with ReLU and batch normalization computes the same with its weights ten times as large,
    but a step of fixed length is then ten times smaller beside them. So each filter ``d`` of the
    direction is scaled like the filter ``w`` it is added to:

        d = d * |w| / |d|

    A filter is what feeds one unit: a column of a Dense kernel, the weights of one output channel
    of a convolution, of one channel's own kernel where it is depthwise, a row of an embedding.
    Biases and the scales and shifts of normalizations do not move, as in the paper.

    Args:
        model: A built model. Its frozen layers do not move.
        dimensions: 1 or 2.
        normalize: "filter", "layer" (one norm a weight) or None (plain normal numbers).
        everything: Whether biases, scales and shifts move too, each array being one filter.
            Defaults to False.
        seed: Seed of the normal numbers; the same for two models of the same shapes gives the same
            random numbers to both. Defaults to 0.

    Example:
        >>> model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
        >>> kernel, bias = random_directions(model, 1).arrays[0]
        >>> np.allclose(
        ...     np.linalg.norm(kernel, axis=0), np.linalg.norm(model.get_weights()[0], axis=0)
        ... )
        True
        >>> bias
        array([0., 0.], dtype=float32)

    Reference: [Li et al., 2018](https://arxiv.org/abs/1712.09913), section 4
    """
    dimensions = _checks.one_of("dimensions", dimensions, (1, 2))
    normalize = _checks.one_of("normalize", normalize, ("filter", "layer", None))
    everything = _checks.boolean("everything", everything)
    generator = np.random.default_rng(_checks.integer("seed", seed, 0))
    trained = {id(v) for v in _built(model).trainable_weights}
    if not any(id(v) in trained and (len(v.shape) > 1 or everything) for v in model.weights):
        raise ValueError(
            f"{model.name!r} has no weights that random directions move: trainable ones with two "
            "axes or more, and those with one if everything=True."
        )
    axes = _filter_axes(model)
    arrays = []
    for _ in range(dimensions):
        direction = []
        for variable, value in zip(float_weights(model), _values(model), strict=True):
            moves = id(variable) in trained and (value.ndim > 1 or everything)
            drawn = generator.normal(size=value.shape)
            if not moves:
                drawn = np.zeros(value.shape)
            elif normalize is not None:
                whole = normalize == "layer" or value.ndim < 2
                axis = None if whole else axes.get(id(variable), tuple(range(value.ndim - 1)))
                drawn *= _norm(value, axis) / np.maximum(_norm(drawn, axis), 1e-30)
            direction.append(drawn.astype("float32"))
        arrays.append(direction)
    named = "random" if normalize is None else f"random, normalised by {normalize}"
    return Directions(arrays, [(-1.0, 1.0)] * dimensions, named)


def line_direction(model, other):
    """The straight line from a model (coordinate 0) to another (coordinate 1).

    All weights move, moving statistics too, so the losses at 0 and 1 are those of the two models.

    Args:
        model: The model at 0.
        other: A model of the same shapes, or the list of its floating-point weights.

    Reference: [Goodfellow et al., 2015](https://arxiv.org/abs/1412.6544)
    """
    start = _values(_built(model))
    end = _values(other) if isinstance(other, keras.Model) else other
    checked([end], model, "other")
    difference = [
        (e - s).astype("float32") for s, e in zip(start, map(np.asarray, end), strict=True)
    ]
    return Directions([difference], [(-0.25, 1.25)], "line to another model")


def pca_directions(model, trajectory, dimensions=2):
    """The directions in which the weights moved most during training.

    The principal components of ``weights on the way - model's weights``, each of length 1.

    Args:
        model: The model, usually with the weights at the end of the trajectory.
        trajectory: A `callbacks.TrajectoryRecorder`, or a list of lists of weights.
        dimensions: 1 or 2. Defaults to 2.

    Reference: [Li et al., 2018](https://arxiv.org/abs/1712.09913), section 7
    """
    dimensions = _checks.one_of("dimensions", dimensions, (1, 2))
    snapshots = snapshots_of(trajectory)
    checked(snapshots, _built(model), "trajectory")
    trained = {id(v) for v in model.trainable_weights}
    weights = float_weights(model)
    values = _values(model)
    keep = [id(v) in trained for v in weights]
    # Moving statistics follow the weights; what they did is not what the optimizer did.
    parts = [
        [np.where(k, s - v, 0) for s, v, k in zip(snapshot, values, keep, strict=True)]
        for snapshot in snapshots
    ]
    offsets = np.stack([_flat(part) for part in parts])
    _, lengths, components = np.linalg.svd(offsets, full_matrices=False)
    if np.sum(lengths > 1e-6 * max(lengths[0], 1e-30)) < dimensions:
        raise ValueError(
            f"Argument `trajectory` must move in at least {dimensions} directions. "
            f"Received: {len(snapshots)} snapshots that do not."
        )
    arrays, spans = [], []
    for component in components[:dimensions]:
        along = offsets @ component
        low, high = min(along.min(), 0), max(along.max(), 0)
        margin = 0.25 * (high - low)
        spans.append((float(low - margin), float(high + margin)))
        arrays.append([part.astype("float32") for part in _unflat(component, values)])
    explained = lengths[:dimensions] ** 2 / np.sum(lengths**2)
    return Directions(arrays, spans, "principal components of the trajectory", explained)


def snapshots_of(trajectory):
    """Lists of weights, whichever way a trajectory is given."""
    snapshots = getattr(trajectory, "snapshots", trajectory)
    if not isinstance(snapshots, (list, tuple)) or len(snapshots) < 2:
        raise ValueError(
            "Argument `trajectory` must be a TrajectoryRecorder after training, or a list of at "
            f"least two lists of weights. Received: trajectory={trajectory!r}"
        )
    return snapshots


def checked(lists, model, name):
    """Raises unless each list has an array like each floating-point weight of the model."""
    expected = [tuple(v.shape) for v in float_weights(model)]
    for arrays in lists:
        if not isinstance(arrays, (tuple, list)):
            _checks.fail(
                name, "hold lists of the arrays of the model's floating-point weights", lists
            )
        shapes = [tuple(np.shape(a)) for a in arrays]
        if shapes != expected:
            raise ValueError(
                f"Argument `{name}` must have arrays of the shapes of the model's floating-point "
                f"weights, {expected}. Received shapes: {shapes}"
            )
    return lists


def _built(model):
    if not isinstance(model, keras.Model) or not model.built:
        _checks.fail("model", "be a Keras model that is built (call or train it once)", model)
    return model


def _filter_axes(model):
    """For weights whose filters do not lie along the last axis: the axes to sum over."""
    axes = {}
    layers = keras.layers
    for layer in model._flatten_layers():
        if isinstance(layer, layers.Embedding):
            axes[id(layer.embeddings)] = (1,)
        elif isinstance(layer, (layers.DepthwiseConv1D, layers.DepthwiseConv2D)):
            axes[id(layer.kernel)] = tuple(range(len(layer.kernel.shape) - 2))
        elif isinstance(layer, (layers.SeparableConv1D, layers.SeparableConv2D)):
            kernel = layer.depthwise_kernel
            axes[id(kernel)] = tuple(range(len(kernel.shape) - 2))
        elif isinstance(
            layer, (layers.Conv1DTranspose, layers.Conv2DTranspose, layers.Conv3DTranspose)
        ):
            # (..., output channels, input channels): the other way round.
            rank = len(layer.kernel.shape)
            axes[id(layer.kernel)] = (*range(rank - 2), rank - 1)
    return axes


def _values(model):
    return [ops.convert_to_numpy(ops.cast(v.value, "float32")) for v in float_weights(model)]


def _norm(array, axis):
    return np.sqrt(np.sum(np.square(array, dtype="float64"), axis=axis, keepdims=True))


def _flat(arrays):
    return np.concatenate([np.ravel(a).astype("float64") for a in arrays])


def _unflat(vector, like):
    ends = np.cumsum([a.size for a in like])[:-1]
    return [part.reshape(a.shape) for part, a in zip(np.split(vector, ends), like, strict=True)]
