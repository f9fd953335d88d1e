"""Sums on the device against NumPy's in double precision."""

import numpy as np
import pytest

from keras_dlnotes.callbacks.measures import gradient_statistics as statistics

tf = pytest.importorskip("tensorflow")
pytestmark = pytest.mark.tensorflow


@pytest.mark.parametrize("jit_compile", [False, True])
@pytest.mark.parametrize("shape", [(7,), (300, 7), (8, 4096), (70_001,)])
def test_sums(shape, jit_compile):
    x = np.random.default_rng(0).random(shape, np.float32)

    @tf.function(jit_compile=jit_compile)
    def sums(x):
        return statistics.total(x), statistics.sums_of_squares([x])[0]

    total, squares = sums(x)
    np.testing.assert_allclose(total, x.sum(dtype=float), rtol=1e-5)
    np.testing.assert_allclose(squares, np.square(x, dtype=float).sum(), rtol=1e-5)
