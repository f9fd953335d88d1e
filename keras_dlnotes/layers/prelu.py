"""Parametric ReLU: the negative slopes are learnt."""

import keras
from keras import ops

from keras_dlnotes._believed import Sized
from keras_dlnotes._checks import fail, integer
from keras_dlnotes._saving import serializable
from keras_dlnotes.layers.elementwise import Elementwise


@serializable
class PReLU(Sized, Elementwise):
    """Leaky ReLU that learns its slope for negative inputs, one for each feature.

    Arguments and numbers of `keras.layers.PReLU`; `shared_axes` may count from the end, and one
    out of range is an error.

    `f(x) = x if x > 0 else alpha * x`

    Args:
        alpha_initializer: Initializer of the slopes. Defaults to `"Zeros"`; the paper has 0.25.
        alpha_regularizer: Regularizer of the slopes. Weight decay would draw them towards ReLU.
        alpha_constraint: Constraint of the slopes.
        shared_axes: Integer, or list of integers: the axes along which one slope serves all. For
            `(batch, height, width, channels)`, `[1, 2]` gives a slope for every channel.
        **kwargs: Base layer arguments, such as `name` and `dtype`.

    Example:
        >>> import numpy as np
        >>> layer = PReLU(alpha_initializer=keras.initializers.Constant(0.25), shared_axes=[1, 2])
        >>> y = layer(np.ones((1, 8, 8, 3)))
        >>> tuple(layer.alpha.shape)
        (1, 1, 3)

    Reference: [He et al., 2015](https://arxiv.org/abs/1502.01852)
    """

    def __init__(
        self,
        alpha_initializer="Zeros",
        alpha_regularizer=None,
        alpha_constraint=None,
        shared_axes=None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.alpha_initializer = keras.initializers.get(alpha_initializer)
        self.alpha_regularizer = keras.regularizers.get(alpha_regularizer)
        self.alpha_constraint = keras.constraints.get(alpha_constraint)
        if shared_axes is not None and not isinstance(shared_axes, (list, tuple)):
            shared_axes = [shared_axes]
        self.shared_axes = shared_axes and [integer("shared_axes", axis) for axis in shared_axes]

    def build(self, input_shape):
        rank = len(input_shape)
        shared = set()
        for axis in self.shared_axes or ():
            if not (1 <= axis < rank or 1 - rank <= axis <= -1):
                fail("shared_axes", f"name axes of {rank}, without the batch's", self.shared_axes)
            shared.add(axis % rank)
        sizes = {axis: input_shape[axis] for axis in range(1, rank) if axis not in shared}
        if None in sizes.values():
            fail("shared_axes", f"name the unknown axes of {tuple(input_shape)}", self.shared_axes)
        self.alpha = self.add_weight(
            name="alpha",
            shape=[sizes.get(axis, 1) for axis in range(1, rank)],
            initializer=self.alpha_initializer,
            regularizer=self.alpha_regularizer,
            constraint=self.alpha_constraint,
        )
        self.input_spec = keras.InputSpec(ndim=rank, axes=sizes)
        self.built = True

    def call(self, inputs):
        return ops.where(inputs > 0, inputs, self.alpha * inputs)

    def get_config(self):
        return {
            **super().get_config(),
            "alpha_initializer": keras.initializers.serialize(self.alpha_initializer),
            "alpha_regularizer": keras.regularizers.serialize(self.alpha_regularizer),
            "alpha_constraint": keras.constraints.serialize(self.alpha_constraint),
            "shared_axes": self.shared_axes,
        }
