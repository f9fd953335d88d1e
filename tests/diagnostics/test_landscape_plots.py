import matplotlib.pyplot as plt
import numpy as np
import pytest

from keras_dlnotes import plots
from keras_dlnotes.diagnostics import Directions, Landscape


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


def bowl(dimensions, trajectory=None, explained=None, steep=1.0):
    axes = [np.linspace(-1, 1, 5), np.linspace(-2, 2, 7)][:dimensions]
    grids = np.meshgrid(*axes, indexing="ij")
    losses = 1 + steep * sum(g**2 for g in grids)
    directions = Directions([[]] * dimensions, [(-1, 1)] * dimensions, "random", explained)
    return Landscape("net", axes, losses, 1.0, directions, trajectory)


def test_landscape_line():
    land = bowl(1)
    ax = land.plot()
    np.testing.assert_array_equal(ax.lines[0].get_ydata(), land.losses)
    np.testing.assert_array_equal(ax.lines[0].get_xdata(), land.axes[0])
    assert ax.lines[1].get_ydata()[0] == 1.0
    assert ax.get_ylabel() == "loss"
    assert ax.get_yscale() == "linear"
    assert bowl(1, steep=100.0).plot().get_yscale() == "log"
    _, own = plt.subplots()
    assert plots.landscape_line(land, ax=own) is own


def test_landscape_contour_with_trajectory():
    way = np.array([[-0.9, 1.5], [-0.4, 0.5], [0.0, 0.0]])
    land = bowl(2, way, np.array([0.9, 0.08]))
    ax = land.plot()
    drawn = next(line for line in ax.lines if line.get_label() == "training")
    np.testing.assert_array_equal(np.stack(drawn.get_data(), 1), way)
    assert ax.get_xlabel() == "component 1 (90% of the variance)"
    assert ax.get_ylabel() == "component 2 (8% of the variance)"
    assert ax.get_xlim() == (-1, 1)  # The first direction is drawn to the right.
    assert ax.get_ylim() == (-2, 2)
    levels = ax.collections[0].levels
    assert levels[0] == pytest.approx(1)
    assert levels[-1] == pytest.approx(land.losses.max())
    steep = bowl(2, steep=100.0).plot().collections[0].levels
    np.testing.assert_allclose(steep[1:] / steep[:-1], steep[1] / steep[0])


def test_landscape_contour_leaves_holes():
    land = bowl(2)
    land.losses[0, 0] = np.nan
    land.losses[4, 6] = np.inf
    levels = land.plot().collections[0].levels
    assert np.all(np.isfinite(levels))


def test_landscape_surface():
    land = bowl(2)
    ax = land.plot("surface")
    assert ax.name == "3d"
    assert ax.get_zlabel() == "loss"
    low, high = ax.get_zlim()
    assert low <= 1
    assert high >= land.losses.max()
    assert bowl(2, steep=100.0).plot("surface").get_zlabel() == "log10 loss"
    own = plt.figure().add_subplot(projection="3d")
    assert plots.landscape_surface(land, ax=own) is own


def test_pixels_are_the_figure():
    ax = bowl(1).plot()
    width, height = ax.figure.canvas.get_width_height()
    image = plots.pixels(ax)
    assert image.shape == (height, width, 3)
    assert image.dtype == np.uint8
    assert len(np.unique(image)) > 10
    assert not plt.fignum_exists(ax.figure.number)


def test_wrong_dimensions():
    for kind, dimensions in (("line", 2), ("contour", 1), ("surface", 1)):
        with pytest.raises(ValueError, match="`landscape` must have"):
            bowl(dimensions).plot(kind)
    with pytest.raises(ValueError, match="`kind` must"):
        bowl(2).plot("pie")


@pytest.mark.tensorflow
def test_tensorboard_image(tmp_path):
    import tensorflow as tf
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    bowl(2).write_image(tmp_path, step=3)
    events = EventAccumulator(str(tmp_path)).Reload()
    (event,) = events.Tensors("loss_landscape")
    assert event.step == 3
    width, height, png = event.tensor_proto.string_val
    decoded = tf.io.decode_png(png).numpy()
    assert decoded.shape == (int(height), int(width), 3)
