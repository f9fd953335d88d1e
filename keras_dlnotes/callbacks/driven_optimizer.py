"""Which numbers of an optimizer a callback can set while it trains."""

import keras

from keras_dlnotes._wrapped_optimizers import innermost


def with_settable_rate(model, who):
    """The optimizer of a compiled model, or an error that says why its rate cannot be set."""
    optimizer = getattr(model, "optimizer", None)
    if optimizer is None:
        raise ValueError(f"{who} needs a compiled model: call `model.compile(optimizer, loss)`.")
    inner = innermost(optimizer)
    if hasattr(inner, "optimizers"):
        raise ValueError(
            f"{who} sets one learning rate, and a MultiOptimizer has several. Compile the model "
            "with a single optimizer."
        )
    rate = inner._learning_rate
    if not isinstance(rate, keras.Variable):
        kind = getattr(rate, "__name__", type(rate).__name__)
        raise ValueError(
            f"{who} sets the learning rate itself, but that of this optimizer is already given by "
            f"{kind}. Compile the model with a float as `learning_rate`."
        )
    return optimizer


def momentum_name(optimizer):
    """The number that acts as momentum, and whether it can be set without retracing.

    Returns ``(None, False)`` if there is none, or if it is zero, that is, left out.
    """
    inner = innermost(optimizer)
    for name in ("momentum", "beta_1"):
        if getattr(inner, name, None):
            return name, hasattr(getattr(type(inner), name, None), "__set__")
    return None, False


def set_rate(optimizer, rate):
    """Writes the rate, under ``LossScaleOptimizer`` and the like as well."""
    innermost(optimizer).learning_rate = rate
