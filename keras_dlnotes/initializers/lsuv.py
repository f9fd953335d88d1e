"""Layer-sequential unit variance: weights scaled by what a batch of data does in the net."""

import dataclasses
import math

import keras
import numpy as np
from keras import ops

from keras_dlnotes._checks import fail, integer, number, one_of


@dataclasses.dataclass
class LSUVRow:
    """What became of one layer."""

    layer: str
    measured: str
    before: float
    after: float
    scale: float
    note: str = ""


@dataclasses.dataclass
class LSUVReport:
    """One row for each layer, in the order in which the batch met them; prints as a table.

    Attributes:
        rows: List with the attributes `layer`, `measured` ("output" or "pre-activation"), `before`
            and `after` (variances), `scale` (the factor on the weights) and `note`.

    Example:
        >>> row = LSUVReport([LSUVRow("dense", "output", 4.0, 1.0, 0.5)])
        >>> print(row)
        layer  measured  before  after  scale  note
        dense  output         4      1    0.5
    """

    rows: list

    def __str__(self):
        head = ("layer", "measured", "before", "after", "scale", "note")
        table = [head]
        for row in self.rows:
            numbers = [f"{getattr(row, name):.4g}" for name in head[2:5]]
            table.append((row.layer, row.measured, *numbers, row.note))
        widths = [max(map(len, column)) for column in zip(*table, strict=True)]
        lines = []
        for line in table:
            cells = [
                cell.rjust(width) if 2 <= place <= 4 else cell.ljust(width)
                for place, (cell, width) in enumerate(zip(line, widths, strict=True))
            ]
            lines.append("  ".join(cells).rstrip())
        return "\n".join(lines)


def lsuv_scale(model, batch, *, target=1.0, tolerance=0.01, max_iterations=20, measure="auto"):
    """Scales every layer's weights until its output has unit variance on a batch.

    To be called once, before training. The formulas of Glorot and He hold for one kind of
    activation, and for data of unit variance; this looks instead. One pass through the model: each
    Dense or convolutional layer, nested ones too, is scaled when the batch reaches it, so that the
    next one already sees scaled inputs. Kernel and bias get the same factor. Frozen layers and
    layers with constant output stay as they are. If anything fails, all weights are as before.

    `kernel *= sqrt(target / var(output))`, repeated until within `tolerance`

    Args:
        model: A model, built or not, of any kind.
        batch: Inputs as the model takes them, some hundreds of examples.
        target: Float > 0. The variance wanted. Defaults to 1.
        tolerance: Float > 0. How far, relative to `target`, a variance may be off. Defaults to
            0.01.
        max_iterations: Integer. How often a layer is scaled at most. Defaults to 20.
        measure: `"output"`, after the layer's activation; `"pre-activation"`, before it; or
            `"auto"`: the output, but for bounded activations (sigmoid, tanh, softmax), which no
            scale brings to unit variance, what goes into them. Defaults to `"auto"`.

    Returns:
        An `LSUVReport`, which prints as a table.

    Example:
        >>> model = keras.Sequential([keras.Input((8,)), keras.layers.Dense(16, "relu", name="a")])
        >>> report = lsuv_scale(model, np.random.default_rng(0).normal(size=(256, 8)))
        >>> print(f"{report.rows[0].after:.1f}")
        1.0

    Reference: [Mishkin & Matas, 2016](https://arxiv.org/abs/1511.06422)
    """
    target = number("target", target, "(0, inf)")
    tolerance = number("tolerance", tolerance, "(0, inf)")
    max_iterations = integer("max_iterations", max_iterations, 1)
    one_of("measure", measure, ("auto", "output", "pre-activation"))
    for array in keras.tree.flatten(batch):
        array = np.asarray(ops.convert_to_numpy(array))
        if array.dtype.kind == "f" and not np.all(np.isfinite(array)):
            fail("batch", "hold finite numbers only", array.shape)
    if not model.built:
        model(batch, training=False)
    layers = [layer for layer in model._flatten_layers() if _kernel(layer) is not None]
    saved = [(weight, ops.convert_to_numpy(weight)) for x in layers for weight in x.weights]
    rows = []

    def watched(layer):
        original = layer.call

        def call(*args, **kwargs):
            del layer.__dict__["call"]  # A shared layer is scaled where the batch meets it first.
            rows.append(
                _scale(layer, original, args, kwargs, target, tolerance, max_iterations, measure)
            )
            return original(*args, **kwargs)

        layer.__dict__["call"] = call

    try:
        for layer in layers:
            watched(layer)
        model(batch, training=False)
    except BaseException:
        for weight, value in saved:
            weight.assign(value)
        raise
    finally:
        for layer in layers:
            layer.__dict__.pop("call", None)
    return LSUVReport(rows)


def _kernel(layer):
    """The variable in which the layer's output is linear, or None if it has no such."""
    if hasattr(layer, "recurrent_kernel") or getattr(layer, "layers", None):
        return None
    for name in ("pointwise_kernel", "kernel", "depthwise_kernel"):
        kernel = getattr(layer, name, None)
        if isinstance(kernel, keras.Variable):
            return kernel
    return None


def _variance(x):
    return float(ops.convert_to_numpy(ops.var(ops.cast(x, "float32"))))


def _is_bounded(activation, pre):
    """Whether a thousand times the input leaves the output about as large."""
    if activation in (None, keras.activations.linear):
        return False
    pre = ops.cast(pre, "float32")
    pre = pre / math.sqrt(max(_variance(pre), 1e-30))
    return _variance(activation(1000.0 * pre)) < 4.0


def _scale(layer, call, args, kwargs, target, tolerance, max_iterations, measure):
    activation = getattr(layer, "activation", None)

    def without_activation():
        if activation is None:
            return call(*args, **kwargs)
        layer.activation = keras.activations.linear
        try:
            return call(*args, **kwargs)
        finally:
            layer.activation = activation

    bounded = measure == "auto" and _is_bounded(activation, without_activation())
    before_activation = measure == "pre-activation" or bounded
    run = without_activation if before_activation else lambda: call(*args, **kwargs)
    variables = [v for v in (_kernel(layer), getattr(layer, "bias", None)) if v is not None]

    row = LSUVRow(layer.name, "pre-activation" if before_activation else "output", 0, 0, 1.0)
    row.before = row.after = _variance(run())
    if not math.isfinite(row.before):
        raise ValueError(
            f"The output of layer `{layer.name}` must be finite. Received: variance={row.before}"
        )
    if not all(variable.trainable for variable in variables):
        row.note = "frozen"
        return row
    if row.before <= 1e-30:
        row.note = "constant output"
        return row
    elasticity = 2.0  # Variance grows with the square of the scale, if nothing bends it.
    for _ in range(max_iterations):
        if abs(row.after - target) <= tolerance * target:
            return row
        factor = (target / row.after) ** (1.0 / elasticity)
        factor = min(max(factor, 1e-4), 1e4)
        for variable in variables:
            variable.assign(variable * factor)
        row.scale *= factor
        last, row.after = row.after, _variance(run())
        if not 0 < row.after < math.inf:
            raise ValueError(
                f"No scale brings layer `{layer.name}` to the target. "
                f"Received: variance={row.after} at scale={row.scale}"
            )
        if abs(math.log(factor)) > 1e-6:  # Where it does bend, by as much as it just did.
            slope = math.log(row.after / last) / math.log(factor)
            elasticity = min(max(slope, 0.5), 8.0)
    if abs(row.after - target) > tolerance * target:
        row.note = "target not reached"
    return row
