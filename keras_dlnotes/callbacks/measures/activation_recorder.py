"""What ``ActivationMonitor`` adds to the layers of a model for the time of a fit."""

import contextlib

import keras
import numpy as np
from keras import ops

from keras_dlnotes.callbacks.measures.gradient_layout import unique, wanted
from keras_dlnotes.callbacks.measures.gradient_statistics import (
    BINS,
    histogram,
    sums_by_unit,
    total,
)
from keras_dlnotes.callbacks.measures.running_tables import EMPTY, fold
from keras_dlnotes.callbacks.taps.gradient_listener import Listener

STATISTICS = ("activation_mean", "activation_std", "activation_zeros", "activation_saturated")
#: Slope of an activation as a part of its largest, from its output.
SLOPES = {
    "sigmoid": lambda y: 4.0 * y * (1.0 - y),
    "tanh": lambda y: 1.0 - y * y,
    "softsign": lambda y: ops.square(1.0 - ops.abs(y)),
}
#: Under this part of the largest slope an output counts as saturated.
FLAT = 0.05
#: These only carry numbers from one place to another.
CARRIERS = (
    keras.layers.InputLayer,
    keras.layers.Flatten,
    keras.layers.Reshape,
    keras.layers.Permute,
    keras.layers.RepeatVector,
    keras.layers.Dropout,
    keras.layers.Concatenate,
)


class ActivationRecorder(Listener):
    """Wraps ``call`` of each watched layer; a listener only to be told when a train step runs."""

    def __init__(self, model, include, exclude, histograms, on_detach):
        super().__init__(model, include, exclude, histograms)
        self.include, self.exclude = include, exclude
        self.histograms, self.on_detach = histograms, on_detach
        self.backend = keras.backend.backend()
        self.recording = False
        self.layers, self.unbuilt = [], []
        self.state = {}
        self._watch()

    def _watch(self):
        """Wraps the layers that are there, and again those that a model makes when it is built."""
        layers = watched_layers(self.model, self.include, self.exclude)
        self.names = unique([layer.name for layer in layers])
        self.kinds = {
            name: activation_of(layer) for name, layer in zip(self.names, layers, strict=True)
        }
        known = {id(layer) for layer in (*self.layers, *self.unbuilt)}
        for name, layer in zip(self.names, layers, strict=True):
            if id(layer) not in known:
                layer.__dict__["call"] = self._watched(name, layer, layer.call)
        self.layers = layers
        for model in (self.model, *self.model._flatten_layers(include_self=False)):
            if isinstance(model, keras.Model) and not model.built and id(model) not in known:
                model.__dict__["call"] = self._watching(model.call)
                self.unbuilt.append(model)

    def _watching(self, call):
        def watching_call(*args, **kwargs):
            self._watch()
            return call(*args, **kwargs)

        watching_call.__wrapped__ = call
        return watching_call

    def again(self):
        self._watch()
        self.take()

    def _watched(self, name, layer, call):
        def watched_call(*args, **kwargs):
            result = call(*args, **kwargs)
            if self.recording:
                for output in keras.tree.flatten(result)[:1]:
                    real = not isinstance(output, keras.KerasTensor)  # as in a model being built
                    if real and keras.backend.is_float_dtype(output.dtype):
                        self._record(name, layer, output)
            return result

        watched_call.__wrapped__ = call
        return watched_call

    def _record(self, name, layer, output):
        if self.backend == "torch":
            import torch

            with torch.no_grad():
                self._measure(name, layer, output.detach())
        else:
            self._measure(name, layer, output)

    def _measure(self, name, layer, output):
        y = ops.cast(ops.stop_gradient(output), "float32")
        y = y if len(y.shape) else ops.reshape(y, (1,))
        first = getattr(layer, "data_format", None) == "channels_first"
        axis = 1 if first and len(y.shape) > 2 else len(y.shape) - 1
        kind = self.kinds[name]
        if name not in self.state:
            self.state[name] = self._tables(kind == "relu", y.shape[axis])
        tables = self.state[name]
        size = ops.cast(ops.size(y), "float32")
        mean = total(y) / size
        flat = float("nan")
        if kind in SLOPES:
            flat = total(ops.cast(SLOPES[kind](y) < FLAT, "float32")) / size
        active = sums_by_unit(ops.cast(ops.not_equal(y, 0.0), "float32"), axis)
        zeros = ops.maximum(size - ops.sum(active), 0.0) / size
        std = ops.sqrt(total(ops.square(y - mean)) / size)
        row = ops.stack([mean, std, zeros, ops.cast(flat, "float32")])[:, None]
        table = ops.convert_to_tensor(tables["table"])
        tables["table"].assign(fold(table, row))
        if "active" in tables:
            now = ops.cast(active > 0, "float32")
            tables["active"].assign(ops.maximum(ops.convert_to_tensor(tables["active"]), now))
        if "histogram" in tables:
            counts = ops.convert_to_tensor(tables["histogram"]) + histogram(y)
            tables["histogram"].assign(counts)

    def _tables(self, relu, units):
        values = {"table": np.tile(EMPTY[:, None], (len(STATISTICS), 1, 1))}
        if relu and units is not None:
            values["active"] = np.zeros(units, "float32")
        if self.histograms:
            values["histogram"] = np.zeros(BINS, "float32")
        self.empty = getattr(self, "empty", {})
        made = {}
        with outside_of_graphs(self.backend):
            for key, value in values.items():
                # Read where a layer is called, which may want everything in half precision.
                variable = keras.Variable(value, dtype="float32", trainable=False, autocast=False)
                self.empty[id(variable)] = value
                made[key] = variable
        return made

    def take(self):
        """``{layer: {table, active, histogram}}`` on the host; the tables are empty afterwards."""
        result = {}
        for name in self.names:
            if name in self.state:
                result[name] = {}
                for key, variable in self.state[name].items():
                    result[name][key] = np.array(ops.convert_to_numpy(variable), "float64")
                    variable.assign(self.empty[id(variable)])
        return result

    # -------------------------------------------------------- as a listener: gradients pass by

    def choose(self, call):
        self.recording = call is not None
        return None

    def detached(self):
        for layer in (*self.layers, *self.unbuilt):
            layer.__dict__.pop("call", None)
        self.layers, self.unbuilt = [], []
        self.recording = False
        self.on_detach()


def outside_of_graphs(backend):
    if backend != "tensorflow":
        return contextlib.nullcontext()
    import tensorflow as tf

    return tf.init_scope()


def watched_layers(model, include, exclude):
    """Innermost layers that compute something; a recurrent layer counts as one."""
    inside = set()
    for layer in model._flatten_layers(include_self=False):
        if isinstance(layer, (keras.layers.RNN, keras.layers.Bidirectional)):
            inside |= {id(each) for each in layer._flatten_layers(include_self=False)}
    layers = []
    for layer in model._flatten_layers(include_self=False):
        whole = isinstance(layer, (keras.layers.RNN, keras.layers.Bidirectional))
        inner = not list(layer._flatten_layers(include_self=False))
        computes = not isinstance(layer, (*CARRIERS, keras.Model))
        if id(layer) not in inside and (inner or whole) and computes:
            layers.append(layer)
    return [each for each in layers if wanted(each.name, each.name, include, exclude)]


def activation_of(layer):
    if isinstance(layer, keras.layers.ReLU):
        leaky = getattr(layer, "negative_slope", 0.0)
        return "relu" if not leaky else ""
    name = getattr(getattr(layer, "activation", None), "__name__", "")
    return "relu" if name == "relu6" else name
