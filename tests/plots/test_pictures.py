"""What is drawn, read back from the artists; never pixels."""

import inspect
import io

import keras
import matplotlib.figure
import matplotlib.pyplot as plt
import numpy as np
import pytest

from keras_dlnotes import activations, callbacks, optimizers, plots
from keras_dlnotes.word2vec import WordVectors


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


def labelled(*axes):
    """Every picture says what stands on its axes."""
    for ax in axes:
        assert ax.get_xlabel(), "no label on x"
        assert ax.get_ylabel(), "no label on y"


def test_activation_curves_are_the_functions():
    ax = plots.activation([activations.sigmoid, activations.relu])
    labelled(ax)
    x, y = ax.lines[0].get_data()
    np.testing.assert_allclose(y, 1 / (1 + np.exp(-x)), atol=1e-6)
    assert [t.get_text() for t in ax.get_legend().get_texts()] == ["sigmoid", "relu"]
    _, ax = plt.subplots()
    assert plots.activation(activations.sigmoid, derivative=True, ax=ax) is ax
    x, y = ax.lines[0].get_data()
    s = 1 / (1 + np.exp(-x))
    np.testing.assert_allclose(y, s * (1 - s), atol=1e-3)
    assert y.max() <= 0.2501


def test_curves_differ_in_more_than_colour():
    ax = plots.activation([activations.relu, activations.elu, activations.selu, activations.mish])
    dashes = [line.get_linestyle() for line in ax.lines[:4]]
    assert len(set(map(str, dashes))) == 4


def test_initial_activations_shrink_with_small_weights():
    small = keras.initializers.RandomNormal(0, 0.01, seed=1)
    model = keras.Sequential(
        [
            keras.Input((20,)),
            *(keras.layers.Dense(20, "tanh", kernel_initializer=small) for _ in range(3)),
        ]
    )
    x = np.random.default_rng(0).normal(size=(50, 20)).astype("float32")
    drawn = plots.initial_activations(model, x)
    assert len(drawn) == 3
    spreads = [float(ax.get_title().split("std ")[1]) for ax in drawn]
    assert spreads[0] > 10 * spreads[1] > 100 * spreads[2]
    with pytest.raises(ValueError, match="has no layer with an activation"):
        plots.initial_activations(keras.Sequential([keras.Input((2,)), keras.layers.Flatten()]), x)


def test_activation_statistics_are_the_monitors():
    monitor = callbacks.ActivationMonitor(on_problem=None)
    model = keras.Sequential(
        [
            keras.Input((3,)),
            keras.layers.Dense(4, "tanh", name="a"),
            keras.layers.Dense(1, name="b"),
        ]
    )
    model.compile("sgd", "mse")
    x = np.random.default_rng(0).normal(size=(16, 3)).astype("float32")
    model.fit(x, x[:, :1], epochs=3, verbose=0, callbacks=[monitor])
    ax = plots.activation_statistics(monitor)
    labelled(ax)
    for line in ax.lines:
        np.testing.assert_array_equal(line.get_xdata(), [0, 1, 2])
        values = monitor.history["activation_std"][line.get_label()]
        np.testing.assert_array_equal(line.get_ydata(), values)
    assert {line.get_label() for line in ax.lines} >= {"a"}
    assert plots.activation_statistics(monitor, "activation_mean", ax=ax) is ax
    with pytest.raises(ValueError, match="Received: statistic='spread'"):
        plots.activation_statistics(monitor, "spread")


def test_training_curves_mark_over_fitting():
    fall = np.exp(-np.arange(10) / 2)
    rise = np.r_[fall[:4], 0.3, 0.4, 0.5, 0.6, 0.7, 0.8]
    ax = plots.training_curves({"loss": fall, "val_loss": rise})
    labelled(ax)
    np.testing.assert_allclose(ax.lines[0].get_ydata(), fall)
    np.testing.assert_allclose(ax.lines[1].get_ydata(), rise)
    np.testing.assert_allclose(ax.lines[2].get_xdata(), [4, 4])
    assert len(plots.training_curves({"loss": fall, "val_loss": fall}).lines) == 2
    with pytest.raises(ValueError, match="Received: metric='auc'"):
        plots.training_curves({"loss": fall}, "auc")


def test_confusion_matrix_counts():
    ax = plots.confusion_matrix([0, 0, 1, 2], [0, 1, 1, 2], names=["a", "b", "c"])
    labelled(ax)
    np.testing.assert_allclose(ax.images[0].get_array(), [[0.5, 0.5, 0], [0, 1, 0], [0, 0, 1]])
    assert sorted(t.get_text() for t in ax.texts) == ["1", "1", "1", "1"]
    assert ax.get_title() == "Accuracy 75.0%"
    with pytest.raises(ValueError, match="Received: 1 and 2"):
        plots.confusion_matrix([0], [0, 1])


def test_confusion_matrix_takes_classes_in_every_form():
    counts = [[1, 1, 0], [0, 1, 0], [0, 0, 1]]
    numbers, taken = [0, 0, 1, 2], [0, 1, 1, 2]
    words = np.array(["ant", "bee", "cow"])
    probabilities = np.eye(3)[taken] * 0.6 + 0.1
    for y_true, y_pred, names in (
        (np.eye(3)[numbers], probabilities, ["0", "1", "2"]),
        (np.array(numbers, float)[:, None], taken, ["0", "1", "2"]),
        (words[numbers], words[taken], list(words)),
        (np.array(numbers) - 1, np.array(taken) - 1, ["-1", "0", "1"]),
    ):
        ax = plots.confusion_matrix(y_true, y_pred)
        shares = np.array(counts) / np.sum(counts, 1, keepdims=True)
        np.testing.assert_allclose(ax.images[0].get_array(), shares)
        assert [t.get_text() for t in ax.get_xticklabels()] == names
    ax = plots.confusion_matrix([True, False], [True, True], names={0: "no", 1: "yes"})
    np.testing.assert_allclose(ax.images[0].get_array(), [[0, 1], [0, 1]])
    ax = plots.confusion_matrix([0, 0], [0, 0], names=["a", "b", "c"])  # Two never occur.
    assert ax.images[0].get_array().shape == (3, 3)
    for wrong, message in (
        ({"y_true": [], "y_pred": []}, "`y_true` must hold one label at least"),
        ({"y_true": [0, 1], "y_pred": [0.2, 0.7]}, "`y_pred` must hold classes"),
        ({"y_true": [0, 1], "y_pred": [0, 1], "names": ["a"]}, "for each of the 2 classes"),
    ):
        with pytest.raises(ValueError, match=message):
            plots.confusion_matrix(**wrong)


def test_reconstructions_stand_in_rows():
    clean = np.random.default_rng(0).uniform(size=(10, 64))
    drawn = plots.reconstructions(clean, clean[:, ::-1], labels=["clean", "mirrored"], count=4)
    assert [ax.get_title() for ax in drawn] == ["clean", "mirrored"]
    strip = np.asarray(drawn[0].images[0].get_array())
    assert strip.shape == (8, 36)
    np.testing.assert_allclose(strip[:, 9:17], clean[1].reshape(8, 8))


def test_reconstructions_in_colour_and_what_is_no_picture():
    colour = np.random.default_rng(0).uniform(size=(3, 4, 5, 3)) * 255
    strip = np.asarray(plots.reconstructions(colour)[0].images[0].get_array())
    assert strip.shape == (4, 18, 3)
    np.testing.assert_allclose(strip[:, 6:11], colour[1] / colour.max())
    grey = colour[..., :1]
    strip = np.asarray(plots.reconstructions(grey)[0].images[0].get_array())
    np.testing.assert_allclose(strip[:, 6:11], grey[1, :, :, 0])
    flat = np.ones((2, 15))
    assert plots.reconstructions(flat, shape=(3, 5))[0].images[0].get_array().shape == (3, 12)
    for rows, options, message in (
        ((), {}, "hold one array of pictures"),
        ((flat,), {}, "flat pictures of 15 numbers. Received: shape=None"),
        ((flat[:0],), {"shape": (3, 5)}, "Pictures must have shape"),
        ((colour[0, 0],), {"shape": (3,)}, "Pictures must have shape"),
        ((colour,), {"labels": ["a", "b"]}, "a name for each of the 1 rows"),
        ((colour,), {"count": 0}, "`count` must be an integer of at least 1"),
    ):
        with pytest.raises(ValueError, match=message):
            plots.reconstructions(*rows, **options)


def test_decision_boundary_of_strings_and_of_predicted_classes():
    x = np.array([[-1.0, 0], [1, 0], [-1, 1], [1, 1]])
    words = np.array(["left", "right"])

    def shown(ax):
        labels = [t.get_text() for t in ax.get_legend().get_texts()]
        return labels, [c.get_offsets().data for c in ax.collections if len(c.get_offsets()) == 2]

    def predict(points):
        return words[(points[:, 0] > 0).astype(int)]

    for y in (words[[0, 1, 0, 1]], np.eye(2)[[0, 1, 0, 1]]):
        model = predict if y.ndim == 1 else (lambda p: (p[:, 0] > 0).astype(int))
        labels, offsets = shown(plots.decision_boundary(model, x, y, steps=20))
        assert labels == (["class left", "class right"] if y.ndim == 1 else ["class 0", "class 1"])
        np.testing.assert_allclose(offsets, [x[::2], x[1::2]])
    for arguments, message in (
        ((len, x, [0, 1]), "one label a point. Received: 2 for 4"),
        ((len, x * np.nan, [0] * 4), "`x` must be finite"),
        ((len, x[:0], []), "`x` must be numbers of shape"),
        (("model", x, [0] * 4), "`model` must be a Keras model or a function"),
    ):
        model = (lambda p: p[:, 0]) if arguments[0] is len else arguments[0]
        with pytest.raises(ValueError, match=message):
            plots.decision_boundary(model, *arguments[1:])


def test_activations_and_schedules_by_name():
    ax = plots.activation({"r": "relu", "mine": activations.tanh})
    assert [line.get_label() for line in ax.lines[:2]] == ["r", "mine"]
    x, y = ax.lines[0].get_data()
    np.testing.assert_allclose(y, np.maximum(x, 0), atol=1e-6)
    assert [line.get_label() for line in plots.activation(["elu", "elu"]).lines[:2]] == [
        "elu",
        "elu 2",
    ]
    with pytest.raises(ValueError, match=r"`high` must be greater than low=1\.0"):
        plots.activation("relu", 1, 1)
    keras_own = keras.optimizers.schedules.ExponentialDecay(0.1, 10, 0.5)
    ax = plots.schedule({"keras": keras_own, "mine": lambda step: 1 / (1 + step)}, 5)
    labelled(ax)
    np.testing.assert_allclose(ax.lines[0].get_ydata(), 0.1 * 0.5 ** (np.arange(5) / 10), rtol=1e-5)
    np.testing.assert_allclose(ax.lines[1].get_ydata(), 1 / np.arange(1, 6))
    for wrong, message in (((0.1, 5), "`schedule` must"), ((keras_own, 0), "`steps` must")):
        with pytest.raises(ValueError, match=message):
            plots.schedule(*wrong)


def test_comparison_takes_histories():
    history = keras.callbacks.History()
    history.history = {"loss": [2.0, 1.0]}
    ax = plots.optimizer_comparison({"a": history, "b": {"loss": [3, 1]}})
    np.testing.assert_array_equal(ax.lines[0].get_ydata(), [2, 1])
    np.testing.assert_array_equal(ax.lines[1].get_ydata(), [3, 1])
    for wrong, message in (
        ([history], "`histories` must be a dict"),
        ({}, "`histories` must be a dict"),
        ({"a": {"mae": [1]}}, "`metric` must be one of 'mae'"),
        ({"a": 3}, r"`histories\['a'\]` must be a Keras history"),
    ):
        with pytest.raises(ValueError, match=message):
            plots.optimizer_comparison(wrong)


@pytest.mark.parametrize(
    ("draw", "name"),
    [
        (plots.gradients, "monitor"),
        (plots.gradient_profile, "monitor"),
        (plots.activation_statistics, "monitor"),
        (plots.backprop_trace, "trace"),
        (plots.gradient_check, "check"),
        (plots.landscape_contour, "landscape"),
        (plots.landscape_line, "landscape"),
        (plots.learning_rate_finder, "curve"),
        (plots.tuning, "result"),
        (plots.training_curves, "history"),
    ],
)
def test_what_is_nothing_to_draw_is_refused(draw, name):
    with pytest.raises(ValueError, match=f"Argument `{name}` must be .* Received: {name}='x'"):
        draw("x")


def test_the_finder_itself_can_be_drawn():
    finder = callbacks.LearningRateFinder()
    with pytest.raises(ValueError, match="the finder after a sweep"):
        plots.learning_rate_finder(finder)
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    x = np.random.default_rng(0).normal(size=(16, 3)).astype("float32")
    curve = finder.find(model, x, x[:, :1], batch_size=8)
    drawn = [plots.learning_rate_finder(each).lines[0].get_ydata() for each in (curve, finder)]
    np.testing.assert_array_equal(*drawn)


def test_decision_boundary_shows_what_is_predicted():
    x = np.array([[-1.0, 0], [1, 0], [-1, 1], [1, 1]])
    ax = plots.decision_boundary(lambda p: (p[:, 0] > 0).astype(float), x, [0, 1, 0, 1], steps=50)
    labelled(ax)
    offsets = [c.get_offsets().data for c in ax.collections if len(c.get_offsets()) == 2]
    np.testing.assert_allclose(offsets[0], x[::2])
    np.testing.assert_allclose(offsets[1], x[1::2])
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(3, "softmax")])
    plots.decision_boundary(model, x, [0, 1, 2, 0], steps=20)
    with pytest.raises(ValueError, match=r"Received: \(4, 3\)"):
        plots.decision_boundary(model, np.zeros((4, 3)), [0, 1, 0, 1])


def test_race_follows_the_optimizer():
    """Gradient descent on x^2 + 2 y^2 has a closed form: x (1 - 2 lr)^n, y (1 - 4 lr)^n."""
    sgd = optimizers.SGD(0.1)
    paths = plots.race({"sgd": sgd}, lambda x, y: x**2 + 2 * y**2, steps=10, start=(1.0, -2.0))
    n = np.arange(11)
    np.testing.assert_allclose(paths["sgd"][:, 0], 0.8**n, rtol=1e-5)
    np.testing.assert_allclose(paths["sgd"][:, 1], -2 * 0.6**n, rtol=1e-5)


@pytest.mark.parametrize("surface", ["rosenbrock", "beale", "saddle"])
def test_races_are_drawn_still_and_moving(surface, tmp_path):
    paths = plots.race(
        {"momentum": optimizers.Momentum(1e-4), "adam": optimizers.Adam(0.05)}, surface, steps=20
    )
    ax = plots.optimizer_race(paths, surface)
    labelled(ax)
    drawn = [line.get_xydata() for line in ax.lines]
    for path in paths.values():
        assert any(d.shape == path.shape and np.allclose(d, path) for d in drawn)
    if surface == "saddle":
        film = plots.animate_race(paths, surface, frames=3)
        film.save(tmp_path / "race.gif", writer="pillow")
        assert (tmp_path / "race.gif").stat().st_size > 1000


def test_a_race_of_names():
    paths = plots.race(["sgd", optimizers.SGD(0.1), "sgd"], lambda x, y: x + y, steps=2)
    assert list(paths) == ["sgd", "SGD", "sgd 2"]
    np.testing.assert_allclose(paths["sgd"], paths["sgd 2"])
    for wrong, message in (({"start": (1, 2, 3)}, "`start` must"), ({"steps": 0}, "`steps` must")):
        with pytest.raises(ValueError, match=message):
            plots.race(["sgd"], **wrong)


def test_unknown_surface_is_refused():
    with pytest.raises(ValueError, match="Received: surface='bowl'"):
        plots.race({}, "bowl")


def test_dropout_samples_keep_inputs_and_outputs():
    drawn = plots.dropout_sampling(0.5, layers=(3, 8, 8, 2), samples=2, seed=1)
    assert len(drawn) == 3
    kept = [sum(len(c.get_offsets()) for c in ax.collections[::2]) for ax in drawn]
    assert kept[0] == 21
    assert all(5 < number < 21 for number in kept[1:])
    for wrong, message in (
        ({"rate": 1}, "`rate` must"),
        ({"layers": (3,)}, "`layers` must name two layers"),
        ({"samples": 0}, "`samples` must"),
    ):
        with pytest.raises(ValueError, match=message):
            plots.dropout_sampling(**wrong)


def test_embedding_is_the_principal_plane():
    generator = np.random.default_rng(0)
    vectors = generator.normal(size=(30, 5)) * [5, 3, 0.1, 0.1, 0.1]
    ax = plots.embedding(vectors, labels=[f"w{i}" for i in range(30)])
    points = ax.collections[0].get_offsets().data
    distance = np.linalg.norm(vectors[:, None, :2] - vectors[None, :, :2], axis=-1)
    drawn = np.linalg.norm(points[:, None] - points[None], axis=-1)
    np.testing.assert_allclose(drawn, distance, atol=0.8)
    assert [t.get_text() for t in ax.texts][:2] == ["w0", "w1"]
    table = WordVectors(["a", "b", "c"], vectors[:3].astype("float32"))
    ax = plots.embedding(table, count=2)
    assert [t.get_text() for t in ax.texts] == ["a", "b"]
    model = type("Model", (), {"vectors": table})  # as Word2Vec has them
    assert [t.get_text() for t in plots.embedding(model).texts] == ["a", "b", "c"]
    assert "0%" in plots.embedding(np.ones((3, 2))).get_xlabel()
    for wrong, labels, message in (
        (np.zeros(5), None, r"shape \(count, size\). Received: an array of shape \(5,\)"),
        (np.zeros((5, 1)), None, r"Received: \(5, 1\)"),
        (vectors * np.nan, None, "`vectors` must be finite"),
        (vectors, ["a"], "a name for each of 30 vectors"),
    ):
        with pytest.raises(ValueError, match=message):
            plots.embedding(wrong, labels)


class FakeMonitor:
    """What the pictures ask of a GradientMonitor: two layers over three epochs."""

    norms = {"a": np.array([1.0, 0.1, 0.0]), "b": np.array([2.0, 1.0, 0.5])}
    history = {
        "epoch": [0, 1, 2],
        "gradient_norm": norms,
        "gradient_norm_min": {name: values / 2 for name, values in norms.items()},
        "gradient_norm_max": {name: values * 2 for name, values in norms.items()},
    }

    def layer_norms(self):
        return self.norms


def test_gradients_over_the_epochs_and_by_layer():
    over_epochs, profile = plots.gradients(FakeMonitor())
    labelled(over_epochs, profile)
    for line, values in zip(over_epochs.lines, FakeMonitor.norms.values(), strict=True):
        shown = np.where(values > 0, values, np.nan)  # Zero has no logarithm.
        np.testing.assert_array_equal(line.get_ydata(), shown)
    np.testing.assert_array_equal(profile.lines[0].get_ydata(), [np.nan, 0.5])
    assert [text.get_text() for text in profile.get_xticklabels()] == ["a", "b"]
    assert {over_epochs.get_yscale(), profile.get_yscale()} == {"log"}
    _, own = plt.subplots()
    assert plots.gradient_profile(FakeMonitor(), ax=own) is own


class DeepMonitor(FakeMonitor):
    """The same of 150 layers with long names, over 40 epochs."""

    names = [f"backbone/stage_{k // 10}/block_{k}/convolution" for k in range(150)]
    norms = dict(zip(names, 0.9 ** np.arange(150)[:, None] * np.ones(40), strict=True))
    history = {
        "epoch": np.arange(10, 50),
        "activation_std": norms,
        **dict.fromkeys(["gradient_norm", "gradient_norm_min", "gradient_norm_max"], norms),
    }


@pytest.mark.filterwarnings("error")  # matplotlib warns where names leave no room for the axes.
@pytest.mark.parametrize("draw", [plots.gradient_profile, plots.activation_statistics])
def test_pictures_of_deep_models_can_be_read(draw):
    figure = matplotlib.figure.Figure(figsize=(8, 4), dpi=80, layout="constrained")
    ax = draw(DeepMonitor(), ax=figure.subplots())
    figure.savefig(io.BytesIO(), format="png")
    first, last = "…e_0/block_0/convolution", "…4/block_149/convolution"
    legend = [text.get_text() for text in ax.get_legend().get_texts()]
    if draw is plots.activation_statistics:
        assert (legend[0], legend[-1], len(legend)) == (first, last, 7)
        assert ax.get_legend().get_title().get_text() == "7 of 150 layers"
        assert len(ax.lines) == 150
        assert ax.lines[0].get_xdata()[0] == 10  # A fit that began at epoch 10.
        return
    labels = [text.get_text() for text in ax.get_xticklabels()]
    assert (labels[0], labels[-1], len(labels)) == (first, last, 24)
    for place, text in zip(ax.get_xticks(), labels, strict=True):
        assert DeepMonitor.names[place].endswith(text[1:])
    boxes = [text.get_window_extent() for text in ax.get_xticklabels()]
    # Slanted by 60 degrees, names of one line stand a line's height apart.
    steps = np.diff([box.x1 for box in boxes])
    assert steps.min() * np.sin(np.pi / 3) > 7 / 72 * 80


@pytest.mark.parametrize("monitor", [callbacks.GradientMonitor(), callbacks.ActivationMonitor()])
def test_a_monitor_that_saw_nothing_is_not_drawn(monitor):
    with pytest.raises(ValueError, match="Monitor has seen no epoch yet: draw it after a fit"):
        monitor.plot()
    assert not plt.get_fignums()


class FakeResult:
    objective = "val_accuracy"
    trials = [
        {"trial": "0", "status": "completed", "score": 0.9, "rate": 1e-3, "kind": "a", "same": 1},
        {"trial": "1", "status": "completed", "score": 0.8, "rate": 1e-1, "kind": "b", "same": 1},
        {"trial": "2", "status": "failed", "score": None, "rate": 1.0, "kind": "b", "same": 1},
        *(
            {"trial": "3", "status": "completed", "score": 0.5, "rate": r, "kind": "b", "same": 1}
            for r in (1e-4, 1e-2, 0.5)
        ),
    ]


def test_tuning_draws_what_varied():
    drawn = plots.tuning(FakeResult())
    assert [ax.get_xlabel() for ax in drawn] == ["rate", "kind"]
    data = drawn[0].lines[0].get_xydata()
    np.testing.assert_allclose(data[:2], [[1e-3, 0.9], [1e-1, 0.8]])
    assert len(data) == 5
    assert drawn[0].get_xscale() == "log"
    # Few values stand side by side, whatever they are.
    np.testing.assert_allclose(drawn[1].lines[0].get_xydata()[:2], [[0, 0.9], [1, 0.8]])
    assert [text.get_text() for text in drawn[1].get_xticklabels()] == ["a", "b"]
    labelled(*drawn)


def test_given_axes_are_used():
    _, axes = plt.subplots(1, 2)
    assert plots.reconstructions(np.zeros((2, 4)), np.zeros((2, 4)), ax=axes) == list(axes)
    with pytest.raises(ValueError, match=r"`ax` must be one Axes or hold 2\. Received: 1"):
        plots.reconstructions(np.zeros((2, 4)), np.zeros((2, 4)), ax=axes[:1])


@pytest.mark.parametrize(
    "draw",
    [
        lambda ax: plots.reconstructions(np.zeros((2, 4)), np.ones((2, 4)), ax=ax),
        lambda ax: plots.dropout_sampling(samples=2, ax=ax),
        lambda ax: plots.tuning(FakeResult(), ax=ax),
        lambda ax: plots.gradients(FakeMonitor(), ax=ax),
    ],
    ids=["reconstructions", "dropout_sampling", "tuning", "gradients"],
)
def test_one_axes_is_divided_among_several_pictures(draw):
    figure, (ax, other) = plt.subplots(1, 2)
    drawn = list(draw(ax))
    assert len(drawn) > 1
    assert figure.axes == [ax, other]  # The parts belong to the one that was given.
    assert set(ax.child_axes) == set(drawn)
    figure.canvas.draw()
    boxes = [part.get_window_extent() for part in drawn]
    assert not any(a.overlaps(b) for k, a in enumerate(boxes) for b in boxes[:k])
    assert not other.has_data()


def test_every_picture_takes_axes():
    for name in set(plots.__all__) - {"race", "pixels"}:  # These two draw nothing.
        parameter = inspect.signature(getattr(plots, name)).parameters["ax"]
        assert parameter.default is None, name
