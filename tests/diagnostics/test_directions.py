import keras
import numpy as np
import pytest
from keras import layers

from keras_dlnotes.callbacks import TrajectoryRecorder
from keras_dlnotes.diagnostics import (
    Directions,
    line_direction,
    loss_landscape,
    pca_directions,
    random_directions,
)

X = np.random.default_rng(0).normal(size=(40, 3)).astype("float32")
Y = X @ np.array([[1.0], [-2.0], [0.5]], "float32")

#: Layer, input shape, and the axes over which a filter of its first weight is summed.
FILTERS = {
    "dense": (lambda: layers.Dense(4), (5,), (0,)),
    "conv": (lambda: layers.Conv2D(4, 3), (6, 6, 2), (0, 1, 2)),
    "depthwise": (lambda: layers.DepthwiseConv2D(3, depth_multiplier=2), (6, 6, 2), (0, 1)),
    "separable": (lambda: layers.SeparableConv2D(4, 3), (6, 6, 2), (0, 1)),
    "transposed": (lambda: layers.Conv2DTranspose(4, 3), (6, 6, 2), (0, 1, 3)),
    "embedding": (lambda: layers.Embedding(7, 3), (6,), (1,)),
}


def norms(array, axes):
    return np.sqrt(np.sum(np.square(array), axes))


@pytest.mark.parametrize("name", FILTERS)
def test_filters_are_as_long_as_the_models_own(name):
    make, shape, axes = FILTERS[name]
    model = keras.Sequential([keras.Input(shape), make()])
    directions = random_directions(model, 2)
    assert isinstance(directions, Directions)
    weights = model.get_weights()
    for direction in directions.arrays:
        np.testing.assert_allclose(norms(direction[0], axes), norms(weights[0], axes), rtol=1e-5)
        for array, weight in zip(direction, weights, strict=True):
            assert np.any(array) == (weight.ndim > 1)  # Biases rest.
    first, second = directions.arrays
    assert not np.allclose(first[0], second[0])
    again = random_directions(model, 2).arrays
    np.testing.assert_array_equal(again[0][0], first[0])
    other = random_directions(model, 2, seed=1).arrays
    assert not np.allclose(other[0][0], first[0])


def test_other_normalizations():
    model = keras.Sequential([keras.Input((5,)), layers.Dense(4), layers.BatchNormalization()])
    model.layers[0].bias.assign([1.0, 2.0, 2.0, 0.0])
    kernel = model.get_weights()[0]
    by_layer = random_directions(model, 1, normalize="layer").arrays[0]
    assert np.linalg.norm(by_layer[0]) == pytest.approx(np.linalg.norm(kernel), rel=1e-5)
    assert not np.allclose(norms(by_layer[0], 0), norms(kernel, 0), rtol=1e-2)
    plain = random_directions(model, 1, normalize=None, seed=3).arrays[0]
    np.testing.assert_allclose(plain[0], np.random.default_rng(3).normal(size=(5, 4)), rtol=1e-6)
    everything = random_directions(model, 1, everything=True).arrays[0]
    moves = [bool(np.any(array)) for array in everything]
    # Kernel, bias, gamma; beta is zero and so is its filter; statistics are not weights.
    assert moves == [True, True, True, False, False, False]
    assert np.linalg.norm(everything[1]) == pytest.approx(3, rel=1e-5)


def trained(optimizer="sgd", **how):
    model = keras.Sequential([keras.Input((3,)), layers.Dense(1)])
    model.compile(optimizer, "mse")
    recorder = TrajectoryRecorder(**how)
    model.fit(X, Y, epochs=6, batch_size=20, verbose=0, callbacks=[recorder])
    return model, recorder


def test_recorder_keeps_the_way():
    model, recorder = trained()
    assert len(recorder.snapshots) == 7
    np.testing.assert_array_equal(recorder.snapshots[-1][0], model.get_weights()[0])
    assert np.any(recorder.snapshots[0][0] != recorder.snapshots[1][0])
    model.fit(X, Y, epochs=2, verbose=0, callbacks=[recorder])
    assert len(recorder.snapshots) == 9
    recorder.clear()
    assert recorder.snapshots == []
    _, by_batch = trained(every=5)  # 2 batches an epoch, 12 in all.
    assert len(by_batch.snapshots) == 3
    with pytest.raises(ValueError, match="`every` must"):
        TrajectoryRecorder(every=0)
    with pytest.raises(ValueError, match="`every` must"):
        TrajectoryRecorder(every="batch")


def test_recorder_of_a_model_built_by_fit():
    model = keras.Sequential([layers.Dense(1)])
    model.compile("sgd", "mse")
    recorder = TrajectoryRecorder()
    model.fit(X, Y, epochs=2, verbose=0, callbacks=[recorder])
    assert len(recorder.snapshots) in (2, 3)


def test_principal_components_are_those_of_the_snapshots():
    model, recorder = trained()
    directions = pca_directions(model, recorder)
    matrix = np.array([np.concatenate([w.ravel() for w in s]) for s in recorder.snapshots])
    offsets = (matrix - matrix[-1]).astype("float64")
    values, vectors = np.linalg.eigh(offsets.T @ offsets)
    first = np.concatenate([a.ravel() for a in directions.arrays[0]])
    assert abs(first @ vectors[:, -1]) == pytest.approx(1, rel=1e-5)
    np.testing.assert_allclose(directions.explained, values[::-1][:2] / values.sum(), rtol=1e-4)
    flat = [np.concatenate([a.ravel() for a in d]) for d in directions.arrays]
    assert flat[0] @ flat[1] == pytest.approx(0, abs=1e-6)
    coordinates = directions.coordinates(model, recorder.snapshots)
    np.testing.assert_allclose(coordinates, offsets @ np.stack(flat, 1), atol=1e-5)
    np.testing.assert_allclose(coordinates[-1], 0, atol=1e-6)


def test_the_trajectory_lies_on_its_landscape():
    model, recorder = trained()
    landscape = loss_landscape(
        model, (X, Y), directions="pca", trajectory=recorder, points=3, verbose=0
    )
    for axis, column in zip(landscape.axes, landscape.trajectory.T, strict=True):
        assert axis[0] < column.min() < column.max() < axis[-1] or np.ptp(column) == 0
    plane = loss_landscape(model, (X, Y), trajectory=recorder, points=3, verbose=0)
    assert plane.trajectory.shape == (7, 2)


def test_a_straight_way_has_one_component():
    model, _ = trained()
    end = model.get_weights()
    way = [[w + t for w in end] for t in (2.0, 1.0, 0.0)]
    directions = pca_directions(model, way, dimensions=1)
    assert directions.explained[0] == pytest.approx(1)
    assert abs(directions.coordinates(model, way)[0, 0]) == pytest.approx(2 * 2, rel=1e-5)
    with pytest.raises(ValueError, match="at least 2 directions"):
        pca_directions(model, way)


def test_lines():
    model, _ = trained()
    other = keras.Sequential([keras.Input((3,)), layers.Dense(1)])
    direction = line_direction(model, other).arrays[0]
    for d, a, b in zip(direction, model.get_weights(), other.get_weights(), strict=True):
        np.testing.assert_allclose(d, b - a, rtol=1e-6)
    same = line_direction(model, other.get_weights()).arrays[0]
    np.testing.assert_array_equal(same[0], direction[0])
    with pytest.raises(ValueError, match="`other` must have arrays of the shapes"):
        line_direction(model, [np.ones((3, 2)), np.ones(2)])


def test_bad_arguments():
    model, _ = trained()
    with pytest.raises(ValueError, match="`dimensions` must"):
        random_directions(model, 4)
    with pytest.raises(ValueError, match="`normalize` must"):
        random_directions(model, normalize="weights")
    with pytest.raises(ValueError, match="`trajectory` must"):
        pca_directions(model, TrajectoryRecorder())
    with pytest.raises(ValueError, match="`trajectory` must hold lists of the arrays"):
        pca_directions(model, [1, 2])
    with pytest.raises(ValueError, match="`other` must hold lists of the arrays"):
        line_direction(model, 3)
    with pytest.raises(ValueError, match="`model` must be a Keras model that is built"):
        random_directions(keras.Sequential([layers.Dense(1)]))
    with pytest.raises(ValueError, match="`trajectory` must have arrays"):
        pca_directions(model, [[np.ones(3)], [np.ones(3)]])
