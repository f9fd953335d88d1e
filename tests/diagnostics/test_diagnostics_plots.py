import keras
import matplotlib.pyplot as plt
import numpy as np
import pytest
from keras import layers

from keras_dlnotes import plots
from keras_dlnotes.diagnostics import backprop_trace, gradient_check


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


def texts(ax):
    return [text.get_text() for text in ax.texts]


def test_backprop_trace_draws_every_call_and_edge():
    inputs = keras.Input((4,), name="x")
    x = layers.Add(name="skip")([inputs, layers.Dense(4, "sigmoid", name="one")(inputs)])
    model = keras.Model(inputs, layers.Dense(1, name="out")(x), name="net")
    trace = backprop_trace(model, np.ones((3, 4)), np.ones((3, 1)), loss="mse")
    ax = trace.plot()
    drawn = texts(ax)
    for call in trace.calls:
        assert any(t.startswith(f"{call.name}\ngain {call.gain:.2g}") for t in drawn)
    for edge in trace.edges:
        assert f"{edge.norm:.1e}" in drawn
    assert len(ax.patches) == len(trace.edges)
    assert "x" in drawn
    assert f"loss {trace.loss:.4g}" in drawn
    widths = {patch.get_linewidth() for patch in ax.patches}
    assert len(widths) > 1
    _, own = plt.subplots()
    assert plots.backprop_trace(trace, ax=own) is own


def test_gradient_check_draws_errors_beside_the_tolerance():
    check = gradient_check(layers.Dense(3), np.ones((2, 4)))
    ax = check.plot()
    assert [t.get_text() for t in ax.get_yticklabels()] == [v.name for v in check.variables]
    tolerance = next(line for line in ax.lines if line.get_linestyle() == "--")
    assert tolerance.get_xdata()[0] == check.tolerance
    shown = np.concatenate([line.get_xdata() for line in ax.lines if line.get_marker() == "o"])
    errors = np.concatenate([v.errors for v in check.variables])
    np.testing.assert_allclose(np.sort(shown), np.sort(np.maximum(errors, 1e-17)))
    _, own = plt.subplots()
    assert plots.gradient_check(check, ax=own) is own
