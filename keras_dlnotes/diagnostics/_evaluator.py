"""The loss at many points of weight space by one compiled function.

The loop everyone writes copies all weights to the device and starts an ``evaluate`` for every
point. Here the weights, the directions and the data lie on the device; a call takes the
coordinates of a chunk of points and gives back their losses. The model's variables are never
written, so there is nothing to restore, whatever happens.
"""

import contextlib

import keras
import numpy as np
from keras import ops

from keras_dlnotes.diagnostics._objective import joined_loss


def float_weights(model):
    """All floating-point weights, moving statistics included: the space of a landscape."""
    return [v for v in model.weights if "float" in v.dtype]


class Evaluator:
    """``losses(coordinates)`` of a model along directions.

    Args:
        model: The model.
        batches: `_data.Batches`.
        directions: For each direction a list of arrays like ``float_weights(model)``.
        loss: Loss for a model that is not compiled. Defaults to None.
        recompute: Whether moving statistics of batch normalization are those of the data at each
            point. Defaults to False: they are moved only if a direction moves them.
        jit_compile: True, False or "auto": with XLA where there is an accelerator.
    """

    def __init__(self, model, batches, directions, loss=None, recompute=False, jit_compile="auto"):
        self.model, self.batches = model, batches
        self.weights = float_weights(model)
        self.losses_of = batch_loss(model, loss)
        self.normalizations = _batch_normalizations(model) if recompute else []
        moved = [
            k
            for k in range(len(self.weights))
            if any(np.any(direction[k]) for direction in directions)
        ]
        self.moved = [self.weights[k] for k in moved]
        self.start = [ops.convert_to_tensor(v.value) for v in self.moved]
        self.ways = [
            ops.stack([ops.convert_to_tensor(d[k], dtype=v.dtype) for d in directions])
            for k, v in zip(moved, self.moved, strict=True)
        ]
        jit = _resolved(jit_compile)
        self.fixed_size = jit or keras.backend.backend() == "jax"
        self._run = _compiled_map(self._point, jit)

    def losses(self, coordinates):
        """The losses at the rows of ``coordinates``."""
        points = ops.convert_to_tensor(np.asarray(coordinates, "float32"))
        found = self._run(points, self.start, self.ways, *self.batches.tensors())
        return ops.convert_to_numpy(found).astype("float64")

    def _point(self, point, start, ways, *tensors):
        mapping = []
        for variable, value, way in zip(self.moved, start, ways, strict=True):
            steps = ops.reshape(ops.cast(point, way.dtype), (-1,) + (1,) * len(variable.shape))
            mapping.append((variable, value + ops.sum(steps * way, axis=0)))
        if self.normalizations:
            mapping = self._with_statistics(mapping, tensors)
        zero = ops.zeros((), "float32")
        total = self.batches.reduce(lambda batch: self.losses_of(mapping, batch), zero, tensors)
        return total / self.batches.total

    def _with_statistics(self, mapping, tensors):
        """The mapping, moving means and variances being averages over the batches at this point."""
        variables = [v for one in self.normalizations for v in _statistics(one)]
        keep = [one.momentum for one in self.normalizations for _ in range(2)]

        def measured(batch):
            with keras.StatelessScope(mapping) as scope:
                before = [ops.cast(v.value, "float32") for v in variables]
                with training_mode(self.normalizations):
                    self.model(batch[0], training=False)
                after = [scope.get_current_value(v) for v in variables]
            # new = momentum * old + (1 - momentum) * the batch's
            return [
                (ops.cast(new, "float32") - m * old) / (1 - m)
                for new, old, m in zip(after, before, keep, strict=True)
            ]

        zeros = [ops.zeros(v.shape, "float32") for v in variables]
        sums = self.batches.reduce(measured, zeros, tensors)
        measured = {id(v): s / self.batches.total for v, s in zip(variables, sums, strict=True)}
        kept = [(v, value) for v, value in mapping if id(v) not in measured]
        return kept + [(v, ops.cast(measured[id(v)], v.dtype)) for v in variables]


def batch_loss(model, loss):
    """``(mapping of variables, batch) -> loss``, as ``evaluate`` computes it."""
    if loss is None and not model.compiled:
        raise ValueError("Argument `loss` must be given for a model that is not compiled.")
    joined = None if loss is None else joined_loss(model, loss)

    def function(mapping, batch):
        x, y, sample_weight = batch
        with keras.StatelessScope(mapping, collect_losses=True):
            y_pred = model(x, training=False)
            if joined is None:
                total = model._compute_loss(x, y, y_pred, sample_weight, training=False)
            else:
                total = joined(y, y_pred, sample_weight)
                total = total + sum((ops.sum(one) for one in model.losses), start=0.0)
        return ops.cast(total, "float32")

    return function


@contextlib.contextmanager
def training_mode(layers):
    """Lets these layers alone run as in training, while the model infers (dropout stays off)."""
    calls = [layer.call for layer in layers]
    try:
        for layer, call in zip(layers, calls, strict=True):

            def training(*args, call=call, **kwargs):
                return call(*args, **{**kwargs, "training": True})

            vars(layer)["call"] = training
        yield
    finally:
        for layer in layers:
            vars(layer).pop("call", None)


def _batch_normalizations(model):
    found = [
        layer
        for layer in model._flatten_layers()
        if all(hasattr(layer, a) for a in ("moving_mean", "moving_variance", "momentum"))
    ]
    # With a momentum of 1 nothing of the batch gets into the moving statistics.
    return [layer for layer in found if layer.trainable and layer.momentum < 1]


def _statistics(layer):
    return [layer.moving_mean, layer.moving_variance]


def _compiled_map(function, jit):
    """``function`` mapped over its first argument's rows, compiled."""
    backend = keras.backend.backend()
    if backend == "tensorflow":
        import tensorflow as tf

        @tf.function(jit_compile=jit, autograph=False)
        def run(points, *rest):
            return tf.map_fn(
                lambda point: function(point, *rest),
                points,
                fn_output_signature=tf.float32,
                parallel_iterations=8,
            )

        traced = []

        def one_trace(points, *rest):
            # For any number of points: TensorFlow warns of functions that are traced again.
            if not traced:
                some = tf.TensorSpec((None, points.shape[1]), points.dtype)
                traced.append(run.get_concrete_function(some, *rest))
            return traced[0](points, *rest)

        return one_trace
    if backend == "jax":
        import jax

        return jax.jit(lambda points, *rest: jax.lax.map(lambda p: function(p, *rest), points))
    import torch

    def run(points, *rest):
        with torch.no_grad():
            return ops.stack([function(point, *rest) for point in points])

    return run


def _resolved(jit_compile):
    if jit_compile != "auto":
        return bool(jit_compile)
    if keras.backend.backend() != "tensorflow":
        return False
    import tensorflow as tf

    return bool(tf.config.list_physical_devices("GPU"))
