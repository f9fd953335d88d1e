import keras
import numpy as np
import pytest

from keras_dlnotes import layers
from keras_dlnotes.models import MLP, initializer_for

X = np.random.default_rng(0).normal(size=(64, 6)).astype("float32")
Y = (X[:, 0] > 0).astype("int32")

VARIANTS = {
    "plain": {},
    "deep": {"hidden": (16, 8, 8), "activation": "tanh"},
    "normalized": {"batch_normalization": True, "dropout": 0.2, "l1": 1e-5, "l2": 1e-4},
    "selu": {"activation": "selu", "dropout": 0.1},
    "maxout": {"block": "maxout", "pieces": 3},
    "residual": {"block": "residual", "hidden": (8, 8, 4), "batch_normalization": True},
    "scaled": {"scaling": "standardize"},
    "min_max": {"scaling": "min_max"},
    "ours": {"activation": "keras_dlnotes>mish"},
    "linear": {"hidden": ()},
}


def make(variant, **more):
    return MLP(2, **{"hidden": (8, 4), "seed": 1, **VARIANTS[variant], **more})


@pytest.mark.parametrize("variant", VARIANTS)
def test_an_input_shape_only_builds_it_sooner(variant):
    first, later = make(variant, input_shape=(6,)), make(variant)
    for model in (first, later):
        model.adapt(X)
    assert first.built
    assert not later.built
    np.testing.assert_array_equal(first(X), later(X))


@pytest.mark.parametrize("known", [True, False])
@pytest.mark.parametrize("variant", VARIANTS)
def test_trains_saves_and_loads(variant, known, tmp_path):
    model = make(variant, **({"input_shape": (6,)} if known else {}))
    model.adapt(X)
    model.compile(
        keras.optimizers.Adam(0.01), keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    )
    losses = model.fit(X, Y, epochs=5, verbose=0).history["loss"]
    assert losses[-1] < losses[0]
    model.save(tmp_path / "m.keras")
    again = keras.saving.load_model(tmp_path / "m.keras")
    assert type(again) is MLP
    np.testing.assert_allclose(again.predict(X, verbose=0), model.predict(X, verbose=0), rtol=1e-5)


@pytest.mark.parametrize(
    ("activation", "initializer"),
    [
        ("relu", "HeNormal"),
        ("elu", "HeNormal"),
        ("keras_dlnotes>mish", "HeNormal"),
        ("sigmoid", "GlorotUniform"),
        ("tanh", "GlorotUniform"),
        ("selu", "LecunNormal"),
        (keras.activations.relu, "HeNormal"),
        ("softplus", "GlorotUniform"),
        (keras.layers.LeakyReLU(0.3), "HeNormal"),
        (layers.PReLU(), "HeNormal"),
    ],
)
def test_the_initializer_follows_the_activation(activation, initializer):
    assert type(initializer_for(activation)).__name__ == initializer
    model = MLP(2, (4,), activation, input_shape=(3,))
    assert type(model.layers[0].kernel_initializer).__name__ == initializer


@pytest.mark.parametrize(
    "activation", [layers.PReLU(), keras.layers.PReLU(), layers.LeakyReLU(0.3)]
)
def test_each_block_has_a_layer_of_its_own_for_activation(activation, tmp_path):
    model = MLP(2, (8, 4), activation, input_shape=(6,))
    slopes = 2 if isinstance(activation, (layers.PReLU, keras.layers.PReLU)) else 0
    assert len(model.trainable_variables) == 6 + slopes
    model.save(tmp_path / "m.keras")
    again = keras.saving.load_model(tmp_path / "m.keras")
    np.testing.assert_allclose(again.predict(X, verbose=0), model.predict(X, verbose=0), rtol=1e-5)


@pytest.mark.parametrize("known", [True, False])
@pytest.mark.parametrize("scaling", ["standardize", "min_max"])
def test_pictures_are_scaled_number_by_number(scaling, known):
    pictures = np.random.default_rng(0).normal(3, 2, size=(50, 4, 3, 2))
    model = MLP(2, (4,), scaling=scaling, input_shape=(4, 3, 2) if known else None)
    flat = layers.Standardization() if scaling == "standardize" else layers.MinMaxScaling()
    flat.adapt(pictures.reshape(50, -1))
    for data in (pictures, [pictures[:20], pictures[20:]], iter([(pictures, np.ones(50))])):
        model.adapt(data)
        for found, expected in zip(model.scaling.weights, flat.weights, strict=True):
            np.testing.assert_allclose(found, expected, rtol=1e-6)


def test_a_block_is_put_together_in_order():
    model = make("normalized", input_shape=(6,))
    assert [layer.name for layer in model.layers[:4]] == [
        "dense_1",
        "normalization_1",
        "activation_1",
        "dropout_1",
    ]
    assert not model.layers[0].use_bias
    assert isinstance(make("selu", input_shape=(6,)).layers[2], layers.AlphaDropout)


def test_same_seed_same_weights():
    first, second, third = (make("plain", input_shape=(6,), seed=seed) for seed in (5, 5, 6))
    np.testing.assert_array_equal(first.get_weights()[0], second.get_weights()[0])
    assert not np.array_equal(first.get_weights()[0], third.get_weights()[0])


def test_pictures_are_flattened():
    model = MLP(3, (4,), input_shape=(2, 3, 1))
    assert model.predict(np.ones((5, 2, 3, 1)), verbose=0).shape == (5, 3)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"outputs": 0}, "Received: outputs=0"),
        ({"outputs": 2, "hidden": (4, 0)}, "Received: hidden=0"),
        ({"outputs": 2, "dropout": 1.0}, "Received: dropout=1.0"),
        ({"outputs": 2, "l2": -1}, "Received: l2=-1"),
        ({"outputs": 2, "block": "conv"}, "Received: block='conv'"),
        ({"outputs": 2, "block": "maxout", "pieces": 1}, "Received: pieces=1"),
        ({"outputs": 2, "scaling": "log"}, "Received: scaling='log'"),
    ],
)
def test_rejects(arguments, message):
    with pytest.raises(ValueError, match=message):
        MLP(**arguments)


@pytest.mark.parametrize("shape", [(4,), None])
def test_layers_of_the_users_own_are_saved(shape, tmp_path):
    x = np.random.default_rng(0).normal(size=(5, 4)).astype("float32")
    model = MLP(3, (6,), batch_normalization=True, input_shape=shape, seed=1)
    model.pop()
    model.add(keras.layers.Dense(2, name="other"))
    model.add(keras.layers.Softmax())
    y = model.predict(x, verbose=0)
    assert y.shape == (5, 2)
    model.save(tmp_path / "m.keras")
    for _ in range(2):
        model = keras.saving.load_model(tmp_path / "m.keras")
        assert isinstance(model, MLP)
        np.testing.assert_allclose(model.predict(x, verbose=0), y, rtol=1e-6)
        model.save(tmp_path / "m.keras")
    assert "layers" not in MLP(3, (6,), input_shape=shape).get_config()


@keras.saving.register_keras_serializable(package="tests")
class WithHead(MLP):
    """Adds a layer in its constructor and knows it by name."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.head = keras.layers.Dense(2, name="head")
        self.add(self.head)


def test_a_subclass_that_adds_layers_itself(tmp_path):
    x = np.random.default_rng(0).normal(size=(5, 4)).astype("float32")
    model = WithHead(3, (6,), input_shape=(4,), seed=1)
    model.save(tmp_path / "m.keras")
    loaded = keras.saving.load_model(tmp_path / "m.keras")
    assert loaded.head is loaded.layers[-1]
    np.testing.assert_allclose(loaded.predict(x, verbose=0), model.predict(x, verbose=0), 1e-6)
