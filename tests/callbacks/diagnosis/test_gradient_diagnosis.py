"""The rules of the diagnosis on made-up numbers and on nets that are ill by construction."""

import keras
import numpy as np
import pytest

from keras_dlnotes import layers
from keras_dlnotes.callbacks import GradientMonitor
from keras_dlnotes.callbacks.diagnosis.followers import ahead, followers, in_graph
from keras_dlnotes.callbacks.diagnosis.gradient_diagnosis import Thresholds, diagnose
from keras_dlnotes.callbacks.diagnosis.layer_state import LayerState


def chain(norms, **more):
    return [LayerState(f"layer_{i}", norm, **more) for i, norm in enumerate(norms)]


def kinds(problems):
    return [problem.kind for problem in problems]


def test_a_healthy_net_has_no_problem():
    assert diagnose(chain([0.1, 0.2, 0.15, 0.3], update_ratio=1e-3, zeros=0.3)) == []


@pytest.mark.parametrize("factor", [0.25, 0.1, 0.01])
def test_vanishing_names_factor_and_layers(factor):
    norms = [factor ** (9 - i) for i in range(10)]
    (found,) = diagnose(chain(norms))
    assert found.kind == "vanishing"
    assert found.value == pytest.approx(factor)
    assert found.layers == tuple(f"layer_{i}" for i in range(10) if norms[i] < 1e-3)
    assert "ReLU with He" in found.message
    assert f"{factor:.2g} per layer" in found.message


def test_thresholds_decide():
    norms = [1e-2, 1e-1, 1.0]
    assert diagnose(chain(norms)) == []
    assert kinds(diagnose(chain(norms), Thresholds(vanishing=0.5))) == ["vanishing"]


def test_exploding_towards_the_input_and_as_a_whole():
    (found,) = diagnose(chain([10.0 ** (4 - i) for i in range(5)]))
    assert found.kind == "exploding"
    assert found.value == pytest.approx(10)
    assert found.layers == ("layer_0",)
    (found,) = diagnose(chain([10.0, 2000.0, 900.0]), global_max=2e3)
    assert found.layers == ("layer_1",)
    assert "clip" in found.message


def test_a_loss_that_is_no_number_though_all_gradients_are():
    def loss(y, p):
        return -keras.ops.log(p - 1e3)  # Of something negative; the slope is 1 / (1e3 - p).

    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1)])
    model.compile(keras.optimizers.SGD(1e-3), loss)
    x = np.random.default_rng(0).normal(size=(32, 4)).astype("float32")
    monitor = GradientMonitor(on_problem=None)
    model.fit(x, x[:, :1], verbose=0, callbacks=[monitor])
    first = monitor.problems[0]
    assert (first.kind, first.layers) == ("nonfinite", ())
    assert "The loss is nan, though all gradients are finite" in first.message
    assert "The loss is nan" in monitor.report()


def test_a_dead_branch_is_one_problem():
    """a feeds b, beside it c feeds d, and both feed e; what stands between in the list lives."""
    norms = {"a": 0.0, "c": 1.0, "b": 0.0, "d": 1.0, "e": 1.0}
    feeds = {"a": ("b",), "c": ("d",), "b": ("e",), "d": ("e",), "e": ()}
    net = [LayerState(n, x, largest_norm=x, feeds=feeds[n]) for n, x in norms.items()]
    (found,) = diagnose(net)
    assert (found.kind, found.layers) == ("dead", ("a", "b"))
    assert "gradient of b is exactly zero, and with it a gets none" in found.message
    # Shared layers feed themselves.
    again = [LayerState("a", 0.0, largest_norm=0.0, feeds=("a",)), LayerState("b", 1.0, feeds=())]
    assert [problem.layers for problem in diagnose(again)] == [("a",)]


def test_dead_layers_name_the_one_that_is_the_cause():
    layers = chain([0.0, 0.0, 0.5], largest_norm=0.0)
    layers[2] = LayerState("layer_2", 0.5, largest_norm=1.0, zeros=0.2)
    (found,) = diagnose(layers)
    assert found.kind == "dead"
    assert "gradient of layer_1 is exactly zero, and with it layer_0" in found.message
    (found,) = diagnose([LayerState("a", 1.0, zeros=0.95), LayerState("b", 1.0, zeros=0.0)])
    assert found.layers == ("a",)
    assert "95%" in found.message
    assert diagnose([LayerState("table", 1.0, zeros=0.99, sparse=True)]) == []


def test_update_ratios_and_non_finite_numbers():
    layers = [
        LayerState("fast", 1.0, update_ratio=2.0),
        LayerState("good", 1.0, update_ratio=1e-3),
        LayerState("slow", 1.0, update_ratio=1e-9),
        LayerState("ill", np.nan, nonfinite=3, first_nonfinite=7),
    ]
    problems = diagnose(layers)
    assert kinds(problems) == ["nonfinite", "update_large", "update_small"]
    assert problems[0].value == 7
    assert [problem.layers for problem in problems] == [("ill",), ("fast",), ("slow",)]


# -------------------------------------------------------------------------------- real nets


def train(layers, optimizer="sgd", epochs=1, **kwargs):
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.Input((16,)), *layers, keras.layers.Dense(1, name="out")])
    model.compile(optimizer, "mse")
    x = np.random.default_rng(0).normal(size=(256, 16)).astype("float32")
    monitor = GradientMonitor(on_problem=None, **kwargs)
    model.fit(x, x[:, :1], batch_size=64, epochs=epochs, verbose=0, callbacks=[monitor])
    return monitor


def test_ten_sigmoid_layers_with_small_weights_vanish():
    small = keras.initializers.RandomNormal(stddev=0.1)
    monitor = train(
        [keras.layers.Dense(16, "sigmoid", kernel_initializer=small) for _ in range(10)]
    )
    norms = monitor.layer_norms()
    expected = tuple(
        name
        for i, name in enumerate(norms)
        if norms[name][-1] < 1e-3 * max([*[norms[k][-1] for k in list(norms)[i + 1 :]], 0])
    )
    vanishing = [p for p in monitor.problems if p.kind == "vanishing"]
    assert vanishing[0].layers == expected
    assert 5 <= len(expected) <= 9
    # A sigmoid's slope is at most 1/4; a random matrix of these weights multiplies by 0.4.
    assert 0.02 < vanishing[0].value < 0.25
    assert not [p for p in monitor.problems if p.kind == "dead"]
    assert "Vanishing gradients" in monitor.report()


def test_ten_relu_layers_with_he_and_batch_normalization_are_healthy():
    layers = []
    for _ in range(10):
        layers.append(keras.layers.Dense(16, kernel_initializer="he_normal", use_bias=False))
        layers += [keras.layers.BatchNormalization(), keras.layers.ReLU()]
    monitor = train(layers, keras.optimizers.SGD(1e-3), epochs=2)
    assert monitor.problems == []
    assert "No problem found" in monitor.report()


def test_dead_relus_are_named():
    dead = keras.initializers.Constant(-100.0)
    layers = [
        keras.layers.Dense(16, "relu", name="first"),
        keras.layers.Dense(16, "relu", name="dead", bias_initializer=dead),
    ]
    (problem,) = [p for p in train(layers).problems if p.kind == "dead"]
    assert problem.layers == ("first", "dead")
    assert "gradient of dead is exactly zero, and with it first gets none" in problem.message


def saturated_layers(problems):
    return [name for p in problems if p.kind == "saturated" for name in p.layers]


@pytest.mark.parametrize("activation", ["sigmoid", "tanh"])
@pytest.mark.parametrize("seed", range(3))
def test_saturated_layers_are_named(activation, seed):
    keras.utils.set_random_seed(seed)  # layers draw their seeds when they are made
    large = keras.initializers.RandomNormal(stddev=30.0, seed=seed)
    layers = [
        keras.layers.Dense(16, activation, name="good"),
        keras.layers.Dense(16, activation, name="bad", kernel_initializer=large),
        keras.layers.Dense(16, activation, name="good_too"),
    ]
    found = train(layers, keras.optimizers.SGD(1e-4)).problems
    assert saturated_layers(found) == ["bad"]
    good = [keras.layers.Dense(16, activation) for _ in range(3)]
    assert not saturated_layers(train(good).problems)


@pytest.mark.parametrize("own", [False, True])
def test_an_activation_may_be_a_layer_of_its_own(own):
    keras.utils.set_random_seed(0)
    activation = layers.Tanh if own else lambda: keras.layers.Activation("tanh")
    net = [
        keras.layers.Rescaling(1000.0),  # What nobody has scaled.
        keras.layers.Dense(16, name="first"),
        keras.layers.Dropout(0.1),
        activation(),
        keras.layers.Dense(16, name="second"),
        activation(),
    ]
    found = train(net, keras.optimizers.SGD(1e-4)).problems
    assert saturated_layers(found) == ["first"]


def test_branches_are_told_apart():
    """Beside a branch whose gradients are a thousand times as large, another is no sick one."""
    keras.utils.set_random_seed(0)
    inputs = keras.Input((8,))
    names = ["small", "large"]
    first = {n: keras.layers.Dense(16, "tanh", name=n)(inputs) for n in names}
    second = {n: keras.layers.Dense(16, "tanh", name=f"{n}_2")(first[n]) for n in names}
    outputs = {n: keras.layers.Dense(1, name=f"{n}_out")(second[n]) for n in names}
    model = keras.Model(inputs, outputs)
    losses, weights = dict.fromkeys(names, "mse"), {"small": 1, "large": 1e3}
    model.compile(keras.optimizers.SGD(1e-6), losses, loss_weights=weights)
    x = np.random.default_rng(0).normal(size=(128, 8)).astype("float32")
    y = dict.fromkeys(names, x[:, :1])
    monitor = GradientMonitor(on_problem=None)
    model.fit(x, y, epochs=1, batch_size=16, verbose=0, callbacks=[monitor])
    assert not {"saturated", "vanishing"} & set(kinds(monitor.problems))
    # The whole norm is large, which is no growth from layer to layer.
    assert "from " not in "".join(p.message for p in monitor.problems if p.kind == "exploding")


def test_what_comes_after_a_layer_on_its_way():
    inputs = keras.Input((4, 3))
    inner = keras.Sequential([keras.Input((8,)), keras.layers.Dense(4, name="b")], name="inner")
    hidden = keras.layers.LSTM(8, name="a")(inputs)
    heads = [keras.layers.Dense(2, name=name)(each) for name, each in
             zip("cd", (inner(hidden), hidden), strict=True)]  # fmt: skip
    model = keras.Model(inputs, heads)
    layers = {one.name: one for one in model._flatten_layers()}
    asked = [layers[name] for name in ("lstm_cell", "b", "c", "d")]
    names = {id(one): one.name for one in layers.values()}
    found = [{names[each] for each in ids} & set("abcd") for ids in ahead(model, asked)]
    assert found == [{"b", "c", "d"}, {"c"}, set(), set()]
    assert ahead(model, [keras.layers.Dense(1)]) == [None]


@pytest.mark.parametrize(("norms", "kind"), [((1e-5, 1.0), "vanishing"), ((1e5, 1.0), "exploding")])
def test_only_what_comes_after_a_layer_is_compared_with_it(norms, kind):
    """a feeds b; c is another branch, with quite other gradients."""
    a, b = (
        LayerState(n, norm, ahead=frozenset("b" * (n == "a")))
        for n, norm in zip("ab", norms, strict=True)
    )
    c = LayerState("c", norms[0] ** 2, ahead=frozenset())
    (found,) = diagnose([a, c, b])
    assert (found.kind, found.layers) == (kind, ("a",))
    assert found.value == pytest.approx(norms[0])
    assert diagnose([LayerState("a", 1.0, ahead=frozenset("b")), c, LayerState("b", 1.0)]) == []


def test_a_subclassed_model_in_a_graph_is_one_layer_of_it():
    class Inner(keras.Model):
        def __init__(self):
            super().__init__()
            self.b = keras.layers.Dense(4, "tanh", name="b")

        def call(self, x):
            return self.b(x)

    a, c = keras.layers.Dense(4, "tanh", name="a"), keras.layers.Dense(1, name="c")
    inner = Inner()
    model = keras.Sequential([keras.Input((4,)), a, inner, c])
    assert followers(a) == ([inner], "")
    names = {id(one): one.name for one in model._flatten_layers()}
    found = [{names[each] for each in ids} & set("abc") for ids in ahead(model, [a, inner.b, c])]
    assert found == [{"b", "c"}, {"c"}, set()]
    model.compile("sgd", "mse")
    monitor = GradientMonitor()
    x = np.random.default_rng(0).normal(size=(32, 4)).astype("float32")
    model.fit(x, x[:, :1], verbose=0, callbacks=[monitor])
    assert monitor.problems == []


def test_the_layers_a_layer_feeds():
    inputs = keras.Input((4,))
    a = keras.layers.Dense(4, name="a")
    inner = keras.Sequential([keras.Input((4,)), keras.layers.Dense(4, name="b"), layers.Tanh()])
    c, d = keras.layers.Dense(4, name="c"), keras.layers.Dense(4, name="d")
    hidden = a(inputs)
    out = d(keras.layers.Add()([c(keras.layers.Activation("tanh")(hidden)), inner(hidden)]))
    keras.Model(inputs, out)
    assert {layer.name for layer in followers(a)[0]} == {"b", "c"}
    assert followers(a)[1] == ""  # Two ways, of which one has an activation.
    assert [layer.name for layer in followers(c)[0]] == ["d"]
    assert followers(d) == ([], "")
    assert in_graph([a, c])
    assert not in_graph([keras.layers.Dense(1)])


def test_slopes_are_estimated_from_all_that_is_fed():
    common = {"activation": "tanh", "weight_norm": 4.0, "units": 16}
    fed = [
        LayerState("b", 1.0, bias_norm=0.3, **common),
        LayerState("c", 1.0, bias_norm=0.4, **common),
    ]
    for slope, found in ((0.19, ["a"]), (0.21, [])):
        # 4 / sqrt(16) of 0.3 and of 0.4 is 0.5 together.
        layer = LayerState("a", 1.0, bias_norm=0.5 * slope, feeds=("b", "c"), **common)
        (one,) = saturated_layers(diagnose([layer, *fed])) or [None]
        assert ([one] if one else []) == found
    alone = LayerState("a", 1.0, bias_norm=1e-6, feeds=("b", "not watched"), **common)
    assert not saturated_layers(diagnose([alone, *fed]))
