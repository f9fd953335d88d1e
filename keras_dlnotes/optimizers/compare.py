"""Several optimizers on one problem, from one start."""

import collections.abc

import keras
import numpy as np

from keras_dlnotes import _checks
from keras_dlnotes._names import labelled
from keras_dlnotes._state import RandomState


def compare(
    model_fn,
    optimizers,
    data,
    *,
    epochs=10,
    batch_size=None,
    loss=None,
    metrics=None,
    seed=0,
    **fit,
):
    """Trains the same model with each optimizer and returns the histories as arrays.

    To choose an optimizer on one's own problem: all trainings begin with the same weights, see the
    same batches in the same order and draw the same random numbers, so that what differs is the
    optimizer. The optimizers given are copied and stay as they are, and so do the global seeds.
    `plots.optimizer_comparison` draws the result.

    Args:
        model_fn: Function without arguments that returns a model, compiled (its optimizer is
            replaced) or not (then `loss` is needed).
        optimizers: Dict from label to optimizer, or a list, labelled by class. An optimizer is an
            instance or a name that `keras.optimizers.get` knows.
        data: `(x, y)` or `(x, y, sample_weight)`, or one object that `fit` can pass over many
            times, such as a `tf.data.Dataset` or a `PyDataset`.
        epochs: Integer >= 1. Defaults to 10.
        batch_size: As in `fit`. Defaults to None.
        loss: As in `compile`, for a model that is not compiled. Defaults to None.
        metrics: As in `compile`, for a model that is not compiled. Defaults to None.
        seed: Integer. What every training begins with. Defaults to 0.
        fit: More keyword arguments of `fit`; `verbose` is 0 by default.

    Returns:
        Dict from label to a dict from the name of a metric to an array with a value an epoch.

    Example:
        >>> x = np.random.default_rng(0).normal(size=(64, 2))
        >>> def line():
        ...     return keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
        >>> rates = {f"rate {rate}": keras.optimizers.SGD(rate) for rate in (0.001, 0.1)}
        >>> histories = compare(line, rates, (x, x @ [1.0, 2.0]), epochs=5, loss="mse")
        >>> histories["rate 0.1"]["loss"].shape
        (5,)
        >>> bool(histories["rate 0.1"]["loss"][-1] < histories["rate 0.001"]["loss"][-1])
        True
    """
    optimizers = _checked(optimizers)
    epochs = _checks.integer("epochs", epochs, 1)
    seed = _checks.integer("seed", seed, 0)
    if isinstance(data, collections.abc.Iterator):
        _checks.fail("data", "be something that can be passed over several times", data)
    x, y, sample_weight = _unpacked(data)
    fit = {"verbose": 0, "y": y, "sample_weight": sample_weight, **fit}
    if not callable(model_fn) or isinstance(model_fn, keras.Model):
        _checks.fail("model_fn", "be a function that returns a model", model_fn)
    before, start, histories, handed_out = RandomState(), None, {}, []
    try:
        for label, optimizer in optimizers.items():
            keras.utils.set_random_seed(seed)
            model = model_fn()
            if not isinstance(model, keras.Model):
                _checks.fail("model_fn", "return a Keras model", model)
            again = any(model is other for other in handed_out)
            if again and start is None:
                _checks.fail("model_fn", "return a new model each time, or a built one", model)
            handed_out.append(model)
            if not model.compiled or (again and loss is not None):
                _compile(model, _copy(optimizer), loss, metrics)
            else:
                _equip(model, _copy(optimizer), loss, metrics)
            start = _same_start(model, start)
            history = model.fit(x, epochs=epochs, batch_size=batch_size, **fit).history
            histories[label] = {name: np.array(values) for name, values in history.items()}
    finally:
        before.restore()
    return histories


def _unpacked(data):
    """As `fit` takes it: x, y and sample weights."""
    if isinstance(data, (tuple, list)) and len(data) in (2, 3):
        return (*data, None)[:3]
    return data, None, None


def _checked(optimizers):
    if not isinstance(optimizers, (collections.abc.Mapping, list, tuple)):
        _checks.fail("optimizers", "be a dict or a list of optimizers", optimizers)
    optimizers = labelled(optimizers)
    if not optimizers:
        _checks.fail("optimizers", "hold one optimizer at least", optimizers)
    for label, optimizer in optimizers.items():
        if not isinstance(optimizer, (str, keras.Optimizer)):
            _checks.fail(f"optimizers[{label!r}]", "be an optimizer or the name of one", optimizer)
    return {label: keras.optimizers.get(optimizer) for label, optimizer in optimizers.items()}


def _copy(optimizer):
    return type(optimizer).from_config(optimizer.get_config())


def _compile(model, optimizer, loss, metrics):
    if loss is None:
        raise ValueError("`model_fn` returned a model that is not compiled: pass `loss`.")
    model.compile(optimizer, loss, metrics=metrics)


def _equip(model, optimizer, loss, metrics):
    """Puts the optimizer in place of the one the model was compiled with."""
    if loss is not None or metrics is not None:
        raise ValueError(
            "`model_fn` returned a compiled model, which has its own `loss` and `metrics`: leave "
            "them out here."
        )
    scaled = isinstance(model.optimizer, keras.optimizers.LossScaleOptimizer)
    if scaled and not isinstance(optimizer, keras.optimizers.LossScaleOptimizer):
        optimizer = keras.optimizers.LossScaleOptimizer(optimizer)
    model.optimizer = optimizer
    model.train_function = None  # Should it have been trained before, with another optimizer.


def _same_start(model, start):
    """Gives the model the variables the first one began with, and returns those.

    The seed alone does it, but not for a ``model_fn`` with randomness from elsewhere, or one that
    hands out the same model again.
    """
    if not model.built:
        return start
    if start is None:
        return [np.array(keras.ops.convert_to_numpy(v)) for v in model.variables]
    if [v.shape for v in start] != [tuple(v.shape) for v in model.variables]:
        raise ValueError("`model_fn` has to return a model of the same form each time.")
    for variable, value in zip(model.variables, start, strict=True):
        variable.assign(value)
    return start
