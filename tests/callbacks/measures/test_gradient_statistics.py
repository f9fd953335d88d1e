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


@pytest.mark.parametrize("odd", [False, True])
@pytest.mark.parametrize("large", [1, 1000, 10**9])
def test_norms_of_large_and_small_and_of_rows_of_unknown_number(large, odd, monkeypatch):
    monkeypatch.setattr(statistics, "LARGE", large)
    shapes = [(40, 50), (7,), (5, 300), (3, 2)]
    rng = np.random.default_rng(0)
    arrays = [rng.normal(size=shape).astype("float32") for shape in shapes]
    if odd:
        arrays[0] *= 1e-25
        arrays[2][1, 1] = np.inf

    specs = [tf.TensorSpec(shape) for shape in [*shapes[:3], (None, 2)]]

    @tf.function(input_signature=[specs])
    def norms(gradients):
        return statistics.norms([statistics.Values(g, 1.0, g.shape, False) for g in gradients])

    norms, bad = norms(arrays)
    expected = [np.linalg.norm(x.astype(float)) for x in arrays]
    np.testing.assert_allclose(norms, expected, rtol=1e-5)
    np.testing.assert_array_equal(bad, [0, 0, odd, 0])
