"""Maxout in models: unknown sizes, gradients, masks, and what it can learn."""

import keras
import numpy as np
from vjp import vjp

from keras_dlnotes.layers import Maxout, MaxoutDense


def test_maxout_after_a_convolution_of_unknown_size():
    inputs = keras.Input((None, None, 3))
    outputs = Maxout(4)(keras.layers.Conv2D(12, 3)(inputs))
    assert outputs.shape == (None, None, None, 4)
    model = keras.Model(inputs, outputs)
    assert model(np.ones((2, 5, 7, 3), "float32")).shape == (2, 3, 5, 4)


def test_gradient_goes_to_the_largest():
    x = np.array([[1.0, 4.0, 3.0, -1.0]], "float32")
    layer = Maxout(2)
    layer.build(x.shape)
    np.testing.assert_array_equal(
        vjp(layer, x, np.array([[2.0, 5.0]], "float32"))[1], [[0, 5, 2, 0]]
    )


def test_merging_the_masked_axis_drops_the_mask():
    masked = keras.layers.Masking()(np.ones((2, 6, 8), "float32"))
    for layer, stays in ((Maxout(2), True), (Maxout(3, axis=1), False)):
        assert (keras.src.backend.get_keras_mask(layer(masked)) is not None) is stays


def test_two_units_draw_a_function_that_is_not_convex():
    """Any continuous function is a difference of two convex ones: theorem 4.3 of the paper."""
    layer = MaxoutDense(2, pieces=3)
    layer.build((None, 1))
    # Unit 0 is max(-x - 1, x - 1, 0), unit 1 is |x|; a piece after the other, two units each.
    layer.set_weights([np.array([[-1.0, -1, 1, 1, 0, 0]]), np.array([-1.0, 0, -1, 0, 0, 0])])
    x = np.linspace(-2, 2, 41)[:, None]
    bend, absolute = keras.ops.convert_to_numpy(layer(x)).T
    np.testing.assert_allclose(2 * bend - absolute + 1, np.abs(np.abs(x[:, 0]) - 1), atol=1e-6)
