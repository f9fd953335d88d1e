"""Every layer, activation, regularizer and loss of the package has right gradients."""

import importlib

import keras
import numpy as np
import pytest
import samples

from keras_dlnotes.diagnostics import gradient_check

#: Steps, whose gradient passes straight through by default, which is no slope of theirs: the check
#: has to find that, and has to find the true gradient right that they give when asked.
SURROGATES = {"Sign", "Step", "sign", "step"}


def table(room, *kinds):
    module = importlib.import_module(f"samples.{room}")
    return [
        pytest.param(name, sample, id=f"{room}.{name}")
        for name, sample in sorted(module.SAMPLES.items())
        if isinstance(sample, kinds)
    ]


def public(room, name):
    return getattr(importlib.import_module(f"keras_dlnotes.{room}"), name)


@pytest.mark.parametrize(("name", "sample"), table("layers", samples.Layer))
def test_layers(name, sample):
    generator = np.random.default_rng(3)
    if sample.inputs == "integers":
        x = generator.integers(0, sample.high, sample.shape)
    else:
        # Standard normal, and no entry where ReLU and its like have their kink.
        x = generator.normal(size=sample.shape)
        x += 0.05 * np.sign(x)
    layer = sample.make()
    if name in SURROGATES:
        assert not gradient_check(layer, x, samples=8)
        layer = public("layers", name)(straight_through=False)
    if sample.prepare is not None:
        sample.prepare(layer, x.astype("float32") if x.dtype.kind == "f" else x)
    check = gradient_check(layer, x, samples=8)
    assert check.ok, check.report()


@pytest.mark.parametrize(("name", "sample"), table("activations", samples.Activation))
def test_activations(name, sample):
    function = public("activations", name)
    x = np.array([[-2.3, -0.7, -0.1, 0.2], [0.9, 1.6, 2.8, 4.1]])
    arguments = dict(sample.kwargs)
    if name in SURROGATES:
        assert not gradient_check(function, x)
        arguments["straight_through"] = False
    check = gradient_check(function, x, arguments=arguments)
    assert check.ok, check.report()


@pytest.mark.parametrize(("name", "sample"), table("regularizers", samples.Regularizer))
def test_regularizers(name, sample):
    x = np.random.default_rng(4).uniform(0.1, 0.9, (4, 3))
    check = gradient_check(sample.make(), x)
    assert check.ok, check.report()


def loss_data(sample):
    generator = np.random.default_rng(5)
    shape = (6, 3)
    classes = generator.integers(0, 3, 6)
    y = {
        "real": generator.normal(size=shape),
        "binary": generator.integers(0, 2, shape),
        "signs": 2 * generator.integers(0, 2, shape) - 1,
        "one_hot": np.eye(3)[classes],
        "integers": classes,
    }[sample.targets]
    z = generator.normal(size=shape)
    logits = getattr(sample, "from_logits", sample.targets not in ("one_hot", "integers"))
    if not logits:
        z = np.exp(z) / np.exp(z).sum(-1, keepdims=True)
    return y.astype("float64"), z


@pytest.mark.parametrize(("name", "sample"), table("losses", samples.Loss, samples.LossFunction))
def test_losses(name, sample):
    y, z = loss_data(sample)
    if isinstance(sample, samples.Loss):
        check = gradient_check(sample.make(), z, y)
    else:
        check = gradient_check(public("losses", name), z, y, arguments=sample.kwargs)
    assert check.ok, check.report()


def test_it_is_keras_we_stand_beside():
    # The sweep's data make Keras' own pieces come out right too, so a failure above is ours.
    y, z = loss_data(samples.Loss(None, "one_hot", from_logits=False))
    assert gradient_check(keras.losses.CategoricalCrossentropy(), z, y)
