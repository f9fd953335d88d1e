"""Activation functions, each written out from elementary operations of `keras.ops`.

Every one takes a tensor of floats and gives one of the same shape and dtype, and both its value and
its gradient are finite for inputs of ±1e4, in float16 too. Where two branches meet at 0 the
gradient is the same on TensorFlow, JAX and PyTorch. What sets them apart from `keras.activations`
stands with each of them.

Put them into a layer as functions (`Dense(8, activation=activations.mish)`) or, once this package
is imported, by their registered name (`Dense(8, activation="keras_dlnotes>mish")`). For other
parameters than the defaults use the layer of the same name in `keras_dlnotes.layers`.
"""

from keras_dlnotes.activations._names import answer_to_names
from keras_dlnotes.activations.gated import gelu, lisht, mish, silu, swish
from keras_dlnotes.activations.piecewise import leaky_relu, linear, relu, rrelu
from keras_dlnotes.activations.residue import snake, tanh_shrink, tanhshrink
from keras_dlnotes.activations.smooth import elu, selu, softplus
from keras_dlnotes.activations.squashing import sigmoid, softmax, tanh
from keras_dlnotes.activations.thresholds import sign, step

__all__ = [
    "elu",
    "gelu",
    "leaky_relu",
    "linear",
    "lisht",
    "mish",
    "relu",
    "rrelu",
    "selu",
    "sigmoid",
    "sign",
    "silu",
    "snake",
    "softmax",
    "softplus",
    "step",
    "swish",
    "tanh",
    "tanh_shrink",
    "tanhshrink",
]

answer_to_names([globals()[name] for name in __all__])
