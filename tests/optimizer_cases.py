"""What the tests of the optimizers share: the list of them, a way to step on any backend, and the
formulas in NumPy, written from the papers and the docstrings."""

import keras
import numpy as np
from keras import ops

from keras_dlnotes import optimizers

BACKEND = keras.backend.backend()

#: Every optimizer that follows a formula: (label, class, keyword arguments).
CASES = [
    ("gradient_descent", optimizers.GradientDescent, {}),
    ("sgd", optimizers.SGD, {}),
    ("sgd_nesterov", optimizers.SGD, {"momentum": 0.8, "nesterov": True}),
    ("momentum", optimizers.Momentum, {}),
    ("momentum_damped", optimizers.Momentum, {"dampening": 0.9}),
    ("nesterov", optimizers.Nesterov, {}),
    ("adagrad", optimizers.Adagrad, {}),
    ("adagrad_outside", optimizers.Adagrad, {"epsilon_inside_root": False, "epsilon": 0.1}),
    ("adadelta", optimizers.Adadelta, {}),
    ("adadelta_outside", optimizers.Adadelta, {"epsilon_inside_root": False, "epsilon": 1e-3}),
    ("rmsprop", optimizers.RMSProp, {}),
    ("rmsprop_momentum", optimizers.RMSProp, {"momentum": 0.7}),
    ("rmsprop_nesterov", optimizers.RMSProp, {"momentum": 0.7, "nesterov": True}),
    ("rmsprop_centered", optimizers.RMSProp, {"centered": True, "momentum": 0.5}),
    ("adam", optimizers.Adam, {}),
    ("adam_amsgrad", optimizers.Adam, {"amsgrad": True, "beta_2": 0.8}),
    ("adam_inside", optimizers.Adam, {"epsilon_inside_root": True, "epsilon": 1e-2}),
    ("adam_uncorrected", optimizers.Adam, {"bias_correction": False}),
    ("lazy_adam", optimizers.LazyAdam, {}),
    ("adamw", optimizers.AdamW, {"weight_decay": 0.05}),
    ("adamax", optimizers.Adamax, {}),
    ("adamax_uncorrected", optimizers.Adamax, {"bias_correction": False}),
    ("nadam", optimizers.Nadam, {}),
    ("rectified_adam", optimizers.RectifiedAdam, {}),
    ("rectified_adam_amsgrad", optimizers.RectifiedAdam, {"amsgrad": True, "beta_2": 0.9}),
]
LABELS = [label for label, _, _ in CASES]
#: One of each class, for the tests that take longer.
CLASSES = list({cls: label for label, cls, _ in reversed(CASES)}.values())[::-1]


def make(label, **kwargs):
    for name, cls, defaults in CASES:
        if name == label:
            return cls(**{**defaults, **kwargs})
    raise KeyError(label)


def variable(value, dtype="float32", name=None):
    return keras.Variable(np.asarray(value), dtype=dtype, name=name)


def step(optimizer, gradients, variables):
    """One step, on JAX the stateless way."""
    if not optimizer.built:
        optimizer.build(variables)
    if BACKEND != "jax":
        optimizer.apply(gradients, variables)
        return
    weights, state = optimizer.stateless_apply(
        [each.value for each in optimizer.variables], gradients, [each.value for each in variables]
    )
    for each, value in zip(variables, weights, strict=True):
        each.assign(value)
    for each, value in zip(optimizer.variables, state, strict=True):
        each.assign(value)


def stepper(optimizer, variables, gradients=lambda *given: list(given)):
    """A function of one step along ``gradients(*given)``, for tests that make many."""
    optimizer.build(variables)

    def one(*given):
        step(optimizer, gradients(*given), variables)

    if BACKEND != "tensorflow":
        return one
    import tensorflow as tf

    return tf.function(one, autograph=False)


def numbers(variables):
    """All numbers of some variables, in a row."""
    parts = [ops.convert_to_numpy(ops.cast(each, "float64")).ravel() for each in variables]
    return np.concatenate(parts)


def random_run(optimizer, steps=100, dtype="float32", seed=1):
    """Steps along random gradients; the weights at the end."""
    generator = np.random.default_rng(seed)
    shapes = [(4, 3), (3,)]
    variables = [variable(generator.normal(size=shape), dtype) for shape in shapes]
    run = stepper(optimizer, variables)
    for _ in range(steps):
        run(*(ops.convert_to_tensor(generator.normal(size=shape), dtype=dtype) for shape in shapes))
    return numbers(variables)


# ------------------------------------------------------------------------------ formulas in NumPy


def _rule(optimizer, t, g, s):
    """The step of one optimizer as written in its docstring; ``s`` holds the slots."""
    o, lr = optimizer, optimizer.get_config()["learning_rate"]
    kind = type(o).__name__

    def root(square, epsilon):
        return np.sqrt(square + epsilon) if o.epsilon_inside_root else np.sqrt(square) + epsilon

    def slot(name, value=0.0):
        return s.setdefault(name, np.full(g.shape, value))

    if kind == "GradientDescent" or (kind == "SGD" and o.momentum == 0):
        return lr * g
    if kind in ("SGD", "Momentum", "Nesterov"):
        push = (1 - o.dampening) * lr * g
        s["v"] = o.momentum * slot("v") + push
        return o.momentum * s["v"] + push if o.nesterov else s["v"]
    if kind == "Adagrad":
        s["a"] = slot("a", o.initial_accumulator_value) + g**2
        return lr * g / root(s["a"], o.epsilon)
    if kind == "Adadelta":
        s["a"] = o.rho * slot("a") + (1 - o.rho) * g**2
        delta = root(slot("d"), o.epsilon) / root(s["a"], o.epsilon) * g
        s["d"] = o.rho * s["d"] + (1 - o.rho) * delta**2
        return lr * delta
    if kind == "RMSProp":
        s["a"] = o.rho * slot("a") + (1 - o.rho) * g**2
        spread = s["a"]
        if o.centered:
            s["mean"] = o.rho * slot("mean") + (1 - o.rho) * g
            spread = spread - s["mean"] ** 2
        push = lr * g / root(spread, o.epsilon)
        if o.momentum == 0:
            return push
        s["v"] = o.momentum * slot("v") + push
        return o.momentum * s["v"] + push if o.nesterov else s["v"]
    s["m"] = o.beta_1 * slot("m") + (1 - o.beta_1) * g
    if kind == "Adamax":
        s["u"] = np.maximum(o.beta_2 * slot("u"), np.abs(g))
        unbias = 1 - o.beta_1**t if o.bias_correction else 1
        return lr / unbias * s["m"] / (s["u"] + o.epsilon)
    s["v"] = o.beta_2 * slot("v") + (1 - o.beta_2) * g**2
    if kind == "Nadam":
        mu = [o.beta_1 * (1 - 0.5 * 0.96**i) for i in range(1, t + 2)]
        m_hat = mu[t] * s["m"] / (1 - np.prod(mu)) + (1 - mu[t - 1]) * g / (1 - np.prod(mu[:t]))
        return lr * m_hat / root(s["v"] / (1 - o.beta_2**t), o.epsilon)
    v = s["v"]
    if o.amsgrad:
        v = s["v_hat"] = np.maximum(slot("v_hat"), v)
    if kind == "RectifiedAdam":
        m_hat = s["m"] / (1 - o.beta_1**t)
        longest = 2 / (1 - o.beta_2) - 1
        length = longest - 2 * t * o.beta_2**t / (1 - o.beta_2**t)
        if length < o.sma_threshold:
            return lr * m_hat
        factor = (length - 4) * (length - 2) * longest
        factor = np.sqrt(factor / ((longest - 4) * (longest - 2) * length))
        return lr * factor * m_hat / (np.sqrt(v / (1 - o.beta_2**t)) + o.epsilon)
    alpha = lr
    if o.bias_correction:
        alpha = lr * np.sqrt(1 - o.beta_2**t) / (1 - o.beta_1**t)
    return alpha * s["m"] / root(v, o.epsilon)


def reference(optimizer, weight, gradients, rounded=np.float64):
    """The trajectory's end by the formulas above, in float64.

    `rounded`: the dtype of the factor by which weights decay, for a backend that rounds it once.
    """
    slots, lr = {}, optimizer.get_config()["learning_rate"]
    for t, gradient in enumerate(gradients, 1):
        if optimizer.weight_decay is not None:
            kept = rounded(1) - rounded(lr) * rounded(optimizer.weight_decay)
            weight = np.float64(kept) * weight
        weight = weight - _rule(optimizer, t, gradient, slots)
    return weight
