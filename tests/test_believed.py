"""Sizes of a config: which are believed, and what is said of those that are not."""

import copy
import inspect
import json

import keras
import pytest

from keras_dlnotes import layers, losses, models, word2vec
from keras_dlnotes._believed import HARMLESS, believe

VOCABULARY = word2vec.Vocabulary(["a", "b", "c"], [3, 2, 1])


def test_twice_what_was_saved_is_believed():
    believe(2 * HARMLESS, saved=HARMLESS)
    with pytest.raises(ValueError, match=f"{2 * HARMLESS + 1} connections; it was saved with"):
        believe(2 * HARMLESS + 1, saved=HARMLESS)
    believe(2 * HARMLESS, saved=None)
    for saved in ("12", 1.5, -1, [12]):
        with pytest.raises(ValueError, match="Argument `connections` must be an integer"):
            believe(1, saved)


def test_small_configs_may_be_edited():
    config = models.MLP(2, (3,), input_shape=(4,)).get_config()
    assert models.MLP.from_config({**config, "outputs": 500}).output_shape == (None, 500)
    config = word2vec.Word2Vec(VOCABULARY, 2).get_config()
    assert word2vec.Word2Vec.from_config({**config, "vector_size": 300}).vector_size == 300


def test_a_large_size_is_built_where_it_is_meant():
    config = {**models.MLP(2, (3,), input_shape=(4,)).get_config(), "outputs": 400_000}
    with pytest.raises(ValueError, match="take `connections` out of the config"):
        models.MLP.from_config(config)
    del config["connections"]
    assert models.MLP.from_config(config).output_shape == (None, 400_000)


@pytest.mark.parametrize(
    "make",
    [
        lambda: models.MLP(2, (3,), input_shape=(4,)),
        lambda: models.MLP(2, (3,)),
        lambda: word2vec.Word2Vec(VOCABULARY, 2),
    ],
)
def test_a_config_holds_arguments_of_the_constructor(make):
    model = make()
    copy = type(model)(**model.get_config())
    assert copy.get_config() == model.get_config()


def test_what_is_not_built_has_no_connections():
    layer = layers.MaxoutDense(4, pieces=3)
    assert layer.get_build_config() is None
    layer.build((None, 5))
    assert layer.get_build_config() == {"input_shape": (None, 5), "connections": 60}
    copy = layers.MaxoutDense(4, pieces=3)
    copy.build_from_config(layer.get_build_config())
    assert copy.get_build_config() == layer.get_build_config()
    before = layers.MaxoutDense(4, pieces=3)
    before.build_from_config({"input_shape": (None, 5)})  # As files had it at first.
    assert before.kernel.shape == (5, 12)


def test_a_vocabulary_may_grow_a_hundredfold():
    model = word2vec.Word2Vec(VOCABULARY, 2_000)
    words = VOCABULARY.words + [str(number) for number in range(300)]
    assert (
        model.extend(word2vec.Vocabulary(words, range(303, 0, -1))).vectors.vectors.shape[0] == 303
    )


def net(inputs=4):
    return keras.Sequential([keras.Input((inputs,)), keras.layers.Dense(3), layers.MaxoutDense(2)])


def grown():
    model = models.MLP(2, (3,), input_shape=(4,))
    model.add(net(2))
    return model


def built(layer):
    layer.build((None, 4))
    return layer


@pytest.mark.parametrize(
    ("make", "path"),
    [
        (lambda: built(layers.Residual(net())), "block config layers 1 config"),
        (lambda: built(layers.WeightNormalization(keras.layers.Dense(3))), "layer config"),
        (lambda: models.Ensemble([net(), net()]), "members 1 config layers 1 config"),
        (grown, "layers 3 config layers 1 config"),
    ],
    ids=["Residual", "WeightNormalization", "Ensemble", "MLP"],
)
def test_layers_inside_of_ours_are_counted_before_they_are_built(make, path):
    layer = make()
    config = layer.get_config()

    def edited(**changes):
        changed = copy.deepcopy(config)
        inner = changed
        for key in path.split():
            inner = inner[int(key) if key.isdigit() else key]
        inner.update(changes)
        return changed

    assert plain(type(layer).from_config(edited()).get_config()) == plain(config)
    with pytest.raises(ValueError, match="connections; it was saved with"):
        type(layer).from_config(edited(units=10**9))
    assert '"tanh"' in plain(type(layer).from_config(edited(activation="tanh")).get_config())
    # As files had it at first: what they say is believed.
    type(layer).from_config({k: v for k, v in edited().items() if k != "connections"})


def test_connections_of_a_deep_net_are_a_sum_over_its_layers():
    dense = [keras.layers.Dense(3) for _ in range(100)]
    member = keras.Sequential([keras.Input((4,)), *dense])
    count = models.Ensemble([member, member]).get_config()["connections"]
    # The shape of the net itself stands there, too, twice.
    assert count == 2 * (4 * 4 + 4 * 3 + 99 * 3 * 3)


def test_a_small_layer_inside_may_be_edited():
    config = built(layers.Residual(keras.layers.Dense(3))).get_config()
    config["block"]["config"]["units"] = 500
    assert layers.Residual.from_config(config).block.units == 500


def plain(config):
    return json.dumps(config, sort_keys=True)


LAMBDA = {"class_name": "Lambda", "config": {"function": "x"}}


@pytest.mark.parametrize(
    ("thing", "changes"),
    [
        (lambda: losses.Huber(), {"dtype": LAMBDA}),
        (lambda: layers.Residual(net()), {"dtype": LAMBDA}),
        (lambda: layers.MaxoutDense(2), {"dtype": {"class_name": None, "config": {}}}),
        (lambda: models.LinearAutoencoder(2), {"dtype": {"module": 3, "class_name": "x"}}),
    ],
)
def test_what_keras_trips_over_is_told_in_words(thing, changes):
    original = thing()
    kind = type(original).__name__
    with pytest.raises(ValueError, match=f"This config of a {kind} cannot be read") as refused:
        type(original).from_config({**original.get_config(), **changes})
    assert isinstance(refused.value.__cause__, AttributeError)


def test_a_model_whose_optimizer_is_gone():
    model = models.MLP(2, (3,), input_shape=(4,))
    model.compile("adam", "mse")
    config = {**model.get_compile_config(), "optimizer": None}
    with pytest.raises(ValueError, match="This config of a MLP cannot be read"):
        models.MLP(2, (3,), input_shape=(4,)).compile_from_config(config)


def test_classes_beside_ours_keep_their_say():
    class Beside(keras.layers.Layer):
        @classmethod
        def from_config(cls, config):
            return super().from_config({**config, "name": "read beside"})

    class Both(layers.LeakyReLU, Beside):
        pass

    assert Both.from_config({"name": "both"}).name == "read beside"
    assert list(inspect.signature(layers.LeakyReLU.from_config).parameters) == ["config"]
