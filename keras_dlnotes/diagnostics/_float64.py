"""A copy of a layer, model or loss that computes in float64, and the world it needs around it.

Differences of float32 losses hold three or four digits of the gradient at best; float64 holds
ten. The copy is made from the config, every dtype in it replaced, and gets the weights, the
random seeds and the frozen layers of the original, which is not touched.
"""

import contextlib
import copy
import types

import keras
import numpy as np
from keras import ops

from keras_dlnotes.diagnostics._autodiff import numpy


@contextlib.contextmanager
def float64_world():
    """Everything made or computed inside defaults to float64; put back afterwards."""
    floatx, policy = keras.config.floatx(), keras.config.dtype_policy()
    with contextlib.ExitStack() as stack:
        if keras.backend.backend() == "jax":
            import jax

            # Newer releases have it at the top, older ones among the experiments.
            enable = getattr(jax, "enable_x64", None)
            if enable is None:
                from jax.experimental import enable_x64 as enable
            stack.enter_context(enable(True))
        stack.enter_context(_float64_kept())
        try:
            keras.config.set_floatx("float64")
            keras.config.set_dtype_policy("float64")
            yield
        finally:
            keras.config.set_floatx(floatx)
            keras.config.set_dtype_policy(policy)


@contextlib.contextmanager
def _float64_kept():
    """Keeps Keras on JAX and torch from computing `mean`, `var` and others in float32.

    There its table of type promotion maps float64 to float32, whatever ``floatx`` says. Should
    the table move some day, the check says that it saw float32.
    """
    from keras.src.backend.common import dtypes

    table = getattr(dtypes, "BIT64_TO_BIT32_DTYPE", {})
    before = table.get("float64", "float64")

    def write(dtype):
        table["float64"] = dtype
        for function in vars(dtypes).values():
            getattr(function, "cache_clear", int)()  # Answers from before must not linger.

    if before == "float64":
        yield
        return
    try:
        write("float64")
        yield
    finally:
        write(before)


def tensors64(structure):
    """Tensors of the same structure, floating-point ones as float64; plain scalars stay."""

    def convert(x):
        if x is None or isinstance(x, (str, bool, int, float)):
            return x
        if keras.ops.is_tensor(x):
            x = numpy(x)
        x = np.asarray(x)
        if x.dtype.kind in "OUS":
            return ops.convert_to_tensor(x)
        return ops.convert_to_tensor(x, dtype="float64" if x.dtype.kind == "f" else str(x.dtype))

    return keras.tree.map_structure(convert, structure)


def float64_copy(original):
    """The layer or model anew from its config, in float64. To be called in ``float64_world``."""
    config = keras.saving.serialize_keras_object(original)
    config.pop("compile_config", None)
    return keras.saving.deserialize_keras_object(
        _in_float64(config), custom_objects=_own_objects(original), safe_mode=False
    )


@contextlib.contextmanager
def lent_in_float64(layer):
    """Runs the layer itself in float64, for one that cannot be made again from its config.

    Inside, its policies and the dtypes its variables tell are float64, and a ``StatelessScope``
    has to hand in float64 values for all of them. The variables themselves stay as they are.
    """
    policy = keras.dtype_policies.get("float64")
    layers = [one for one in _flat(layer) if "float" in one.compute_dtype]
    variables = [v for v in layer.variables if "float" in v.dtype]
    policies = [one._dtype_policy for one in layers]
    dtypes = [v._dtype for v in variables]
    loss = getattr(layer, "_compile_loss", None)
    try:
        for one in layers:
            one._dtype_policy = policy
        for v in variables:
            v._dtype = "float64"
        if loss is not None:
            layer._compile_loss = type(loss)(
                float64_loss(loss._user_loss),
                loss._user_loss_weights,
                output_names=loss.output_names,
            )
        yield
    finally:
        for one, old in zip(layers, policies, strict=True):
            one._dtype_policy = old
        for v, old in zip(variables, dtypes, strict=True):
            v._dtype = old
        if loss is not None:
            layer._compile_loss = loss


def values64(layer):
    """``(variable, float64 value)`` for every floating-point variable of the layer."""
    return [
        (v, ops.convert_to_tensor(numpy(v.value), dtype="float64"))
        for v in layer.variables
        if "float" in v.dtype
    ]


def take_over(original, made):
    """Gives the built copy the original's weights, seeds and frozen layers."""
    old, new = original.variables, made.variables
    if [tuple(v.shape) for v in old] != [tuple(v.shape) for v in new]:
        raise ValueError(
            f"The copy of {original.name!r} made from its config has other variables "
            f"({len(new)} of them, not {len(old)}, or of other shapes): `get_config()` of "
            f"{type(original).__name__} or of a layer in it does not hold all that the "
            "constructor needs."
        )
    for source, target in zip(old, new, strict=True):
        value = ops.convert_to_numpy(ops.cast(source.value, source.dtype))
        target.assign(np.asarray(value).astype(target.dtype))
    layers = zip(_flat(original), _flat(made), strict=True)
    for source, target in layers:
        if target.trainable != source.trainable:
            target.trainable = source.trainable
        if hasattr(target, "finalize_state"):  # Preprocessing layers derive tensors from weights.
            target.finalize_state()


def float64_loss(loss):
    """The loss, or structure of losses, computing in float64."""

    def convert(one):
        if not isinstance(one, keras.losses.Loss):
            return one
        try:
            # A loss that tells its dtype has to be told the new one.
            return type(one).from_config(_in_float64(one.get_config()))
        except Exception:
            # A loss that cannot tell its config still computes in whatever dtype it is told.
            made = copy.copy(one)
            made._dtype = "float64"
            return made

    return keras.tree.map_structure(convert, loss)


def _flat(layer):
    return list(layer._flatten_layers())


def _in_float64(config):
    """The serialised config with every floating-point dtype and policy replaced."""
    if isinstance(config, (list, tuple)):
        return type(config)(_in_float64(item) for item in config)
    if not isinstance(config, dict):
        return config
    if config.get("class_name") in ("DTypePolicy", "FloatDTypePolicy"):
        return "float64" if "float" in config["config"]["name"] else config
    if (
        "Quantized" in str(config.get("class_name"))
        or config.get("class_name") == "GPTQDTypePolicy"
    ):
        raise ValueError("quantized layers compute in integers and have no gradient to compare")
    if config.get("class_name") == "DTypePolicyMap":
        return "float64"
    return {
        key: "float64"
        if key == "dtype" and isinstance(value, str) and "float" in value
        else _in_float64(value)
        for key, value in config.items()
    }


def _own_objects(layer):
    """Classes and functions of this very model, so that none has to be registered."""
    objects = {}
    for one in _flat(layer):
        pending = [one, *vars(one).values()]
        for thing in pending:
            if isinstance(thing, types.FunctionType):
                objects[thing.__name__] = thing
            elif not type(thing).__module__.startswith(("keras.", "builtins", "numpy")):
                objects[keras.saving.get_registered_name(type(thing))] = type(thing)
                objects[type(thing).__name__] = type(thing)
    return objects
