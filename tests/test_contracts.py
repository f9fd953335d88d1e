"""The laws every public name keeps, whichever room it is in.

The sweep walks ``__all__`` of every room and fails for a name without a sample, so nothing can be
published without passing it. The samples stand in ``tests/samples``.
"""

import importlib
import json
import os
import pathlib
import subprocess
import sys

import keras
import numpy as np
import pytest
import samples
from keras import ops

import keras_dlnotes

pytestmark = pytest.mark.usefixtures("fits_as_users_do")
BACKEND = keras.backend.backend()
TESTS = pathlib.Path(__file__).parent
ROOMS = [name for name in keras_dlnotes.__all__ if name != "__version__"]


def room(name):
    return importlib.import_module(f"keras_dlnotes.{name}")


def table(name):
    return importlib.import_module(f"samples.{name}").SAMPLES


def of(*kinds):
    """Parameters for each sample of these kinds, labelled ``room.Name``."""
    return [
        pytest.param(getattr(room(place), name), sample, id=f"{place}.{name}")
        for place in ROOMS
        for name, sample in table(place).items()
        if isinstance(sample, kinds) and hasattr(room(place), name)
    ]


def batch(sample, dtype="float32"):
    generator = np.random.default_rng(1)
    if sample.inputs == "integers":
        return generator.integers(0, sample.high, sample.shape)
    return generator.normal(size=sample.shape).astype(dtype)


def prepared(sample):
    layer = sample.make()
    if sample.prepare is not None:
        sample.prepare(layer, batch(sample))
    return layer


def layer_model(sample):
    """The layer between an input and a trainable layer, so that gradients flow through it."""
    dtype = "int32" if sample.inputs == "integers" else None
    inputs = keras.Input(sample.shape[1:], batch_size=None, dtype=dtype)
    head = keras.layers.Dense(2, name="head", kernel_initializer="ones")
    return keras.Model(inputs, head(prepared(sample)(inputs)))


def round_trip(thing):
    """Through JSON, as a saved model does it."""
    config = json.loads(json.dumps(keras.saving.serialize_keras_object(thing)))
    return keras.saving.deserialize_keras_object(config)


def plain(config):
    """A config with everything in it serialised, for comparing."""
    return json.loads(json.dumps(keras.saving.serialize_keras_object(config)))


# ---------------------------------------------------------------------------- the list of names


@pytest.mark.parametrize("name", ROOMS)
def test_every_public_name_has_a_sample(name):
    public = set(room(name).__all__)
    assert public == set(table(name)), "public names and samples must be the same"
    for entry in public:
        assert getattr(room(name), entry).__doc__, f"{entry} has no docstring"


@pytest.mark.parametrize(("thing", "sample"), of(samples.TestedIn))
def test_own_test_files_exist_and_speak_of_it(thing, sample):
    text = (TESTS / sample.path).read_text()
    assert thing.__name__.split(".")[-1] in text


# ----------------------------------------------------------------------------- config round trip

CONFIGURED = (
    samples.Layer,
    samples.Initializer,
    samples.Loss,
    samples.Regularizer,
    samples.Schedule,
    samples.Optimizer,
)


@pytest.mark.parametrize(("thing", "sample"), of(*CONFIGURED))
def test_config_round_trip(thing, sample):
    original = sample.make()
    copy = round_trip(original)
    assert type(copy) is type(original)
    assert plain(copy.get_config()) == plain(original.get_config())
    assert keras.saving.get_registered_name(thing).startswith("keras_dlnotes>")


@pytest.mark.parametrize(("thing", "sample"), of(samples.Activation))
def test_activations_are_found_by_their_registered_name(thing, sample):
    name = keras.saving.get_registered_name(thing)
    assert name == f"keras_dlnotes>{thing.__name__}"
    assert keras.saving.get_registered_object(name) is thing
    layer = keras.layers.Dense(2, activation=thing)
    assert round_trip(layer).activation is thing


@pytest.mark.parametrize(("thing", "sample"), of(samples.Callback))
def test_callbacks_take_part_in_fit_twice_and_copy(thing, sample, tmp_path):
    import copy

    callback = copy.deepcopy(sample.make(tmp_path))
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
    model.compile(keras_dlnotes.optimizers.SGD(0.01), "mse")
    x = np.ones((8, 3), "float32")
    for _ in range(2):
        model.fit(x, x[:, :2], batch_size=4, epochs=2, verbose=0, callbacks=[callback])
    assert np.all(np.isfinite(model.get_weights()[0]))


# ------------------------------------------------------------ save and load in a fresh process

LOADER = """
import json, sys
import numpy as np
import keras, keras_dlnotes
folder = sys.argv[1]
errors = {}
for name in json.load(open(folder + "/names.json")):
    try:
        model = keras.saving.load_model(f"{folder}/{name}.keras")
        x = np.load(f"{folder}/{name}.npz")["x"]
        np.save(f"{folder}/{name}.npy", keras.ops.convert_to_numpy(model(x)))
    except Exception as error:
        errors[name] = f"{type(error).__name__}: {error}"
json.dump(errors, open(folder + "/errors.json", "w"))
"""


def saved_models():
    """A small model around every sample that can stand in one."""
    x = np.random.default_rng(2).normal(size=(4, 5)).astype("float32")

    def dense(**kwargs):
        model = keras.Sequential([keras.Input((5,)), keras.layers.Dense(3, **kwargs)])
        return model, x

    def compiled(optimizer="sgd", loss="mse"):
        model, _ = dense()
        model.compile(optimizer, loss)
        return model, x

    makers = {
        samples.Layer: lambda thing, sample: (layer_model(sample), batch(sample)),
        samples.Activation: lambda thing, sample: dense(activation=thing),
        samples.Initializer: lambda thing, sample: dense(kernel_initializer=sample.make()),
        samples.Regularizer: lambda thing, sample: dense(kernel_regularizer=sample.make()),
        samples.Loss: lambda thing, sample: compiled(loss=sample.make()),
        samples.LossFunction: lambda thing, sample: compiled(loss=thing),
        samples.Optimizer: lambda thing, sample: compiled(optimizer=sample.make()),
        samples.Schedule: lambda thing, sample: compiled(keras.optimizers.SGD(sample.make())),
    }
    for kind, make in makers.items():
        for parameter in of(kind):
            yield parameter.id, lambda make=make, values=parameter.values: make(*values)


SAVED = dict(saved_models())


@pytest.fixture(scope="module")
def reloaded(tmp_path_factory):
    """Every model saved here and loaded by one fresh process."""
    folder = tmp_path_factory.mktemp("saved")
    expected, errors = {}, {}
    for name, make in SAVED.items():
        try:
            model, x = make()
            expected[name] = ops.convert_to_numpy(model(x))
            model.save(folder / f"{name}.keras")
            np.savez(folder / f"{name}.npz", x=x)
        except Exception as error:
            errors[name] = f"{type(error).__name__}: {error}"
    (folder / "names.json").write_text(json.dumps([n for n in expected if n not in errors]))
    paths = [str(TESTS.parent), os.environ.get("PYTHONPATH", "")]
    environment = dict(os.environ, PYTHONPATH=os.pathsep.join(filter(None, paths)))
    subprocess.run([sys.executable, "-c", LOADER, folder], check=True, env=environment, timeout=600)
    errors |= json.loads((folder / "errors.json").read_text())
    return folder, expected, errors


@pytest.mark.parametrize("name", SAVED)
def test_saves_and_loads_in_a_fresh_process(name, reloaded):
    folder, expected, errors = reloaded
    assert name not in errors, errors[name]
    np.testing.assert_allclose(np.load(folder / f"{name}.npy"), expected[name], rtol=1e-6)


# ------------------------------------------------------------------------------------- layers

LAYERS = of(samples.Layer)


@pytest.mark.parametrize(("thing", "sample"), LAYERS)
def test_symbolic_equals_eager(thing, sample):
    layer = prepared(sample)
    x = batch(sample)
    symbolic = layer(keras.Input(batch_shape=sample.shape, dtype=str(x.dtype)))
    eager = layer(x)
    assert tuple(symbolic.shape) == tuple(eager.shape)
    assert keras.backend.standardize_dtype(eager.dtype) == symbolic.dtype


def trained_weights(sample, **how):
    keras.utils.set_random_seed(3)
    model = layer_model(sample)
    x = batch(sample)
    y = np.ones(model.compute_output_shape((len(x), *sample.shape[1:])), "float32")
    model.compile(keras.optimizers.SGD(0.01), "mse", **how)
    for _ in range(2):
        model.train_on_batch(x, y)
    return model


@pytest.mark.skipif(BACKEND == "torch", reason="torch compiles through an external compiler")
@pytest.mark.parametrize(("thing", "sample"), LAYERS)
def test_compiled_and_eager_training_agree(thing, sample):
    models = [
        trained_weights(sample, jit_compile=True),
        trained_weights(sample, jit_compile=False),
        trained_weights(sample, run_eagerly=True, jit_compile=False),
    ]
    if sample.random:
        assert all(np.all(np.isfinite(w)) for model in models for w in model.get_weights())
        return
    for other in models[1:]:
        for a, b in zip(models[0].get_weights(), other.get_weights(), strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("policy", ["mixed_float16", "float64"])
@pytest.mark.parametrize(("thing", "sample"), LAYERS)
def test_dtype_policies(thing, sample, policy):
    if policy not in sample.policies:
        pytest.skip(f"{thing.__name__} is not made for {policy}")
    if BACKEND == "jax" and policy == "float64":
        pytest.skip("JAX computes in float64 only after a global switch")
    keras.config.set_dtype_policy(policy)
    layer = prepared(sample)
    y = layer(batch(sample))
    compute = "float16" if policy == "mixed_float16" else "float64"
    assert keras.backend.standardize_dtype(y.dtype) == compute
    assert np.all(np.isfinite(ops.convert_to_numpy(y)))
    variables = {keras.backend.standardize_dtype(w.dtype) for w in layer.trainable_weights}
    assert variables <= {"float32" if policy == "mixed_float16" else "float64"}


@pytest.mark.parametrize(
    ("thing", "sample"), [p for p in LAYERS if p.values[1].masks and len(p.values[1].shape) == 3]
)
def test_masks_pass_through(thing, sample):
    x = ops.convert_to_tensor(batch(sample))
    mask = ops.convert_to_tensor(np.arange(sample.shape[1])[None, :] < [[2]] * len(x))
    keras.src.backend.set_keras_mask(x, mask)
    y = prepared(sample)(x)
    kept = keras.src.backend.get_keras_mask(y)
    assert kept is not None
    np.testing.assert_array_equal(ops.convert_to_numpy(kept), ops.convert_to_numpy(mask))


@pytest.mark.tensorflow
@pytest.mark.parametrize(("thing", "sample"), LAYERS)
def test_exports_to_saved_model(thing, sample, tmp_path):
    import tensorflow as tf

    model = layer_model(sample)
    x = batch(sample)
    if sample.inputs == "integers":
        x = x.astype("int32")
    expected = ops.convert_to_numpy(model(x))
    model.export(str(tmp_path), format="tf_saved_model", verbose=False)
    exported = tf.saved_model.load(str(tmp_path))  # Held on to: it owns the variables.
    np.testing.assert_allclose(
        exported.serve(tf.constant(x)).numpy(), expected, rtol=1e-5, atol=1e-6
    )


# ------------------------------------------------- activations, losses, regularizers, schedules


@pytest.mark.parametrize(("thing", "sample"), of(samples.Activation))
def test_activation_keeps_shape_and_dtype(thing, sample):
    symbolic = thing(keras.KerasTensor((3, 4), "float32"), **sample.kwargs)
    assert symbolic.shape == (3, 4)
    for dtype in ("float16", "bfloat16", "float32"):
        x = ops.cast(np.random.default_rng(3).normal(size=(3, 4)), dtype)
        y = thing(x, **sample.kwargs)
        assert tuple(y.shape) == (3, 4)
        assert keras.backend.standardize_dtype(y.dtype) == dtype
        assert np.all(np.isfinite(ops.convert_to_numpy(ops.cast(y, "float32"))))


def targets(kind, shape):
    generator = np.random.default_rng(4)
    classes = generator.integers(0, shape[-1], shape[:-1])
    return {
        "real": generator.normal(size=shape),
        "binary": generator.integers(0, 2, shape),
        "signs": 2 * generator.integers(0, 2, shape) - 1,
        "one_hot": np.eye(shape[-1])[classes],
        "integers": classes,
    }[kind].astype("float32")


def predictions(sample, shape):
    """Any reals, or (each row) probabilities where the loss does not take logits."""
    z = np.random.default_rng(5).normal(size=shape).astype("float32")
    if getattr(sample, "from_logits", True):
        return z
    return np.exp(z) / np.exp(z).sum(-1, keepdims=True)


@pytest.mark.parametrize(("thing", "sample"), of(samples.Loss))
def test_losses_reduce_to_finite_numbers_and_give_gradients(thing, sample):
    y, p = targets(sample.targets, (6, 3)), predictions(sample, (6, 3))
    value = ops.convert_to_numpy(sample.make()(y, p))
    assert value.shape == ()
    assert np.isfinite(value)
    weighted = ops.convert_to_numpy(sample.make()(y, p, sample_weight=np.zeros(6, "float32")))
    assert weighted == 0


@pytest.mark.parametrize(("thing", "sample"), of(samples.LossFunction))
def test_loss_functions_give_one_number_an_example(thing, sample):
    y, p = targets(sample.targets, (6, 3)), predictions(sample, (6, 3))
    if sample.targets == "one_hot":
        p = np.exp(p) / np.exp(p).sum(-1, keepdims=True)
    assert tuple(thing(y, ops.convert_to_tensor(p), **sample.kwargs).shape) == (6,)


@pytest.mark.parametrize(("thing", "sample"), of(samples.Regularizer))
def test_regularizers_add_one_finite_number(thing, sample):
    x = ops.convert_to_tensor(np.random.default_rng(6).uniform(0.1, 0.9, (4, 3)).astype("float32"))
    value = ops.convert_to_numpy(sample.make()(x))
    assert value.shape == ()
    assert np.isfinite(value)
    dense = keras.layers.Dense(3, "sigmoid", activity_regularizer=sample.make())
    dense(x)
    assert np.isfinite(ops.convert_to_numpy(dense.losses[0]))


@pytest.mark.parametrize(("thing", "sample"), of(samples.Initializer))
def test_initializers_give_shape_and_dtype(thing, sample):
    for dtype in ("float32", "float16"):
        value = sample.make()((4, 3), dtype=dtype)
        assert tuple(value.shape) == (4, 3)
        assert keras.backend.standardize_dtype(value.dtype) == dtype


@pytest.mark.parametrize(("thing", "sample"), of(samples.Schedule))
def test_schedules_give_finite_rates_for_any_step(thing, sample):
    schedule = sample.make()
    for step in (0, 1, 7, 10**6):
        rate = ops.convert_to_numpy(schedule(ops.convert_to_tensor(step, dtype="int64")))
        assert rate.shape == ()
        assert np.isfinite(rate)
        assert rate >= 0


# --------------------------------------------------------------------------------- optimizers


@pytest.mark.parametrize(("thing", "sample"), of(samples.Optimizer))
def test_optimizers_lower_a_loss_and_agree_compiled_or_not(thing, sample):
    x = np.random.default_rng(7).normal(size=(16, 3)).astype("float32")
    y = x @ np.array([[1.0], [-2.0], [0.5]], "float32")
    results = []
    ways = [{"jit_compile": False}, {"run_eagerly": True, "jit_compile": False}]
    if BACKEND != "torch":
        ways.append({"jit_compile": True})
    for how in ways:
        keras.utils.set_random_seed(8)
        model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
        model.compile(sample.make(), "mse", **how)
        losses = [model.train_on_batch(x, y) for _ in range(5)]
        assert losses[-1] < losses[0]
        results.append(model.get_weights())
    for other in results[1:]:
        for a, b in zip(results[0], other, strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-6)
