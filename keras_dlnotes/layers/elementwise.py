"""What all activation layers share: no weights, any shape, masks pass through."""

import keras


class Elementwise(keras.layers.Layer):
    """A layer that gives an output of the shape of its input and needs no building."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.supports_masking = True
        # Whoever has weights to make overrides `build`, and is built when called.
        self.built = type(self).build is keras.layers.Layer.build

    def compute_output_shape(self, input_shape):
        return input_shape
