"""Subclassed models: what their ``call`` does with their layers, and no trace of the drawing."""

import keras
import numpy as np
import pytest
from keras import layers, ops

from keras_dlnotes.callbacks import GradientMonitor
from keras_dlnotes.callbacks.diagnosis.drawn_graph import drawn_graph
from keras_dlnotes.callbacks.diagnosis.followers import ahead, followers


class Shapes(keras.Model):
    """Made in another order than they are called in; a skip connection, a nested model, a loss."""

    def __init__(self):
        super().__init__()
        self.d = layers.Dense(1, name="d")
        self.b = keras.Sequential([layers.Dense(4, "tanh", name="b")])
        self.c = layers.Dense(4, name="c")
        self.a = layers.Dense(4, name="a")
        self.dropout = layers.Dropout(0.5)

    def call(self, x, training=False):
        hidden = ops.tanh(self.a(x))
        self.add_loss(ops.mean(hidden))
        branch = self.b(self.dropout(hidden, training=training))
        return self.d(branch + hidden), self.c(hidden)


class Words(keras.Model):
    """Whole numbers, and several inputs by name."""

    def __init__(self):
        super().__init__()
        self.a = layers.Embedding(9, 4, name="a")
        self.b = layers.Dense(4, name="b")
        self.c = layers.Dense(1, name="c")

    def call(self, inputs):
        hot = ops.one_hot(inputs["words"], 9)  # of whole numbers only
        return self.c(ops.mean(self.a(inputs["words"]), axis=1) + self.b(ops.mean(hot, axis=1)))


class Numbers(Words):
    """Asks for numbers where there are only shapes."""

    def call(self, inputs):
        if isinstance(inputs["words"], keras.KerasTensor):
            self.a(inputs["words"])
            raise TypeError("no numbers")
        return super().call(inputs)


class Pair(keras.Model):
    def __init__(self):
        super().__init__()
        self.b, self.a = layers.Dense(2, name="b"), layers.Dense(2, name="a")

    def call(self, inputs):
        x, y = inputs
        return self.b(self.a(x) + y)


PAIR = [np.zeros((2, 3)), np.zeros((2, 2))]


def found(model):
    """Which layers follow each one, and which are ahead of it, in letters."""
    everything = [layer for layer in model._flatten_layers() if len(layer.name) == 1]
    names = {id(layer): layer.name for layer in everything}
    with drawn_graph(model):
        after = ahead(model, everything)
        fed = [followers(layer)[0] for layer in everything]
    return {
        layer.name: (
            "".join(sorted(each.name for each in feeds)),
            ids and "".join(sorted({names[each] for each in ids & set(names)})),
        )
        for layer, feeds, ids in zip(everything, fed, after, strict=True)
    }


def nodes(model):
    return [(len(one._inbound_nodes), len(one._outbound_nodes)) for one in model._flatten_layers()]


WORDS = {"words": np.zeros((2, 3), "int32")}


@pytest.mark.parametrize(
    ("make", "inputs", "expected"),
    [
        (
            Shapes,
            [np.zeros((2, 3), "float32")],
            {"a": ("bcd", "bcd"), "b": ("", "d"), "c": ("", set()), "d": ("", set())},
        ),
        (Words, [WORDS], {"a": ("c", "c"), "b": ("c", "c"), "c": ("", set())}),
        (Numbers, [WORDS], {"a": ("", None), "b": ("", None), "c": ("", None)}),
        (Pair, [PAIR], {"a": ("b", "b"), "b": ("", set())}),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_what_call_does_with_layers(make, inputs, expected):
    model = make()
    model(*inputs)
    before, own = nodes(model), set(vars(model))
    assert found(model) == expected
    assert (nodes(model), set(vars(model))) == (before, own)
    assert len(model.losses) == (make is Shapes)


def test_a_model_that_is_not_built_or_has_a_graph_is_left_alone():
    model = Shapes()
    with drawn_graph(model):
        assert set(nodes(model)) == {(0, 0)}
    inputs = keras.Input((3,))
    model = keras.Model(inputs, layers.Dense(1)(inputs))
    before = nodes(model)
    with drawn_graph(model):
        assert nodes(model) == before


def test_the_block_may_fail():
    model = Pair()
    model(PAIR)

    def fail():
        with drawn_graph(model):
            assert set(nodes(model)) != {(0, 0)}
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert set(nodes(model)) == {(0, 0)}


def test_layers_are_not_taken_to_follow_each_other_as_they_were_made():
    """One branch has quite small gradients: in a chain, what comes to it would vanish."""

    class Branches(keras.Model):
        def __init__(self):
            super().__init__()
            self.quiet = [layers.Dense(16, "tanh", name=f"quiet_{n}") for n in range(3)]
            self.loud = [layers.Dense(16, "tanh", name=f"loud_{n}") for n in range(3)]

        def call(self, x):
            loud = quiet = x
            for layer in self.loud:
                loud = layer(loud)
            for layer in self.quiet:
                quiet = layer(quiet)
            return {"loud": loud[:, :1], "quiet": 1e-5 * quiet[:, :1]}

    model = Branches()
    model.compile(keras.optimizers.SGD(1e-6), dict.fromkeys(("loud", "quiet"), "mse"))
    x = np.random.default_rng(0).normal(size=(64, 8)).astype("float32")
    monitor = GradientMonitor(on_problem=None)
    model.fit(
        x,
        {"loud": x[:, :1], "quiet": x[:, :1]},
        batch_size=16,
        verbose=0,
        callbacks=[monitor],
    )
    assert set(nodes(model)) == {(0, 0)}
    assert "vanishing" not in {problem.kind for problem in monitor.problems}
