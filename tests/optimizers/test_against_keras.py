"""With Keras' arguments our optimizers give Keras' numbers on dense gradients."""

import inspect

import keras
import numpy as np
import optimizer_cases as cases
import pytest

from keras_dlnotes import optimizers

PAIRS = [
    ("SGD", "SGD", [{}, {"momentum": 0.9}, {"momentum": 0.8, "nesterov": True}]),
    ("Adagrad", "Adagrad", [{}, {"initial_accumulator_value": 0.5, "epsilon": 1e-2}]),
    ("Adadelta", "Adadelta", [{}, {"learning_rate": 0.5, "rho": 0.8, "epsilon": 1e-3}]),
    (
        "RMSProp",
        "RMSprop",
        [{}, {"momentum": 0.5, "rho": 0.8, "epsilon": 1e-2}, {"centered": True, "epsilon": 1e-2}],
    ),
    ("Adam", "Adam", [{}, {"amsgrad": True}, {"beta_1": 0.7, "beta_2": 0.9, "epsilon": 1e-3}]),
    ("AdamW", "AdamW", [{}, {"amsgrad": True, "weight_decay": 0.1}]),
    ("Adamax", "Adamax", [{}, {"beta_1": 0.8, "beta_2": 0.95, "epsilon": 1e-3}]),
    ("Nadam", "Nadam", [{}, {"beta_1": 0.8, "beta_2": 0.95, "epsilon": 1e-3}]),
]
BASE = [
    {},
    {"weight_decay": 0.01},
    {"clipnorm": 0.5},
    {"clipvalue": 0.2},
    {"global_clipnorm": 0.4},
    {"use_ema": True, "ema_momentum": 0.9, "ema_overwrite_frequency": 7},
    {"loss_scale_factor": 4.0},
    {"gradient_accumulation_steps": 3},
]


@pytest.mark.parametrize(
    ("ours", "theirs", "kwargs"),
    [
        pytest.param(ours, theirs, kwargs, id=f"{ours}-{index}")
        for ours, theirs, variants in PAIRS
        for index, kwargs in enumerate(variants)
    ],
)
def test_numbers_over_100_steps(ours, theirs, kwargs):
    mine = cases.random_run(getattr(optimizers, ours)(**kwargs))
    np.testing.assert_allclose(
        mine, cases.random_run(getattr(keras.optimizers, theirs)(**kwargs)), rtol=0, atol=1e-6
    )


@pytest.mark.parametrize("base", BASE[1:], ids=lambda base: next(iter(base)))
@pytest.mark.parametrize(("ours", "theirs"), [pair[:2] for pair in PAIRS])
def test_base_arguments_over_30_steps(ours, theirs, base):
    mine = cases.random_run(getattr(optimizers, ours)(**base), steps=30)
    peer = cases.random_run(getattr(keras.optimizers, theirs)(**base), steps=30)
    np.testing.assert_allclose(mine, peer, rtol=0, atol=1e-6)


@pytest.mark.parametrize(("ours", "theirs"), [pair[:2] for pair in PAIRS])
def test_arguments_stand_in_keras_order_with_keras_defaults(ours, theirs):
    def positional(cls):
        parameters = inspect.signature(cls.__init__).parameters.values()
        kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
        # Before 3.15 the default of `name` was the name itself.
        return [
            (p.name, None if p.name == "name" else p.default)
            for p in parameters
            if p.kind is kind and p.name != "self"
        ]

    mine = positional(getattr(optimizers, ours))
    assert mine == positional(getattr(keras.optimizers, theirs))
