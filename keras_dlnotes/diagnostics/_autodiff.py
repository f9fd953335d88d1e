"""Reverse-mode differentiation of plain functions of tensors, on whichever backend Keras runs.

A function here takes tensors and returns ``(outputs, extra)``: the floating-point tensors that are
differentiated, and anything else the caller wants back from the same evaluation. It must be pure;
a Keras layer becomes so inside a ``keras.StatelessScope``.
"""

import contextlib

import keras
from keras import ops


def numpy(x):
    """The values as a NumPy array, bfloat16 included (as float32, which holds it exactly)."""
    if keras.backend.standardize_dtype(x.dtype) == "bfloat16":
        x = ops.cast(x, "float32")
    return ops.convert_to_numpy(x)


def is_float(x):
    return "float" in keras.backend.standardize_dtype(x.dtype)


def pullback(function, tensors):
    """Evaluates ``function(*tensors)`` and keeps what its chain rule needs.

    Returns ``(outputs, extra, back)``. ``back(gradients)`` takes the gradient of some number with
    respect to each output and returns that with respect to each tensor, or None where nothing
    connects the two (JAX says zero instead).
    """
    backend = keras.backend.backend()
    if backend == "tensorflow":
        import tensorflow as tf

        with tf.GradientTape(persistent=True, watch_accessed_variables=False) as tape:
            tape.watch(tensors)
            outputs, extra = function(*tensors)

        def back(gradients):
            found = tape.gradient(outputs, tensors, output_gradients=gradients)
            # Lookups give their gradient as rows and row numbers.
            return [None if g is None else tf.convert_to_tensor(g) for g in found]

        return outputs, extra, back
    if backend == "jax":
        import jax

        outputs, vjp, extra = jax.vjp(lambda *t: _listed(function(*t)), *tensors, has_aux=True)
        return outputs, extra, lambda gradients: list(vjp(gradients))
    if backend == "torch":
        import torch

        tensors = [t.detach().clone().requires_grad_(True) for t in tensors]
        with torch.enable_grad():
            outputs, extra = function(*tensors)

        def back(gradients):
            pairs = [(o, g) for o, g in zip(outputs, gradients, strict=True) if o.requires_grad]
            if not pairs or not tensors:
                return [None] * len(tensors)
            roots, seeds = zip(*pairs, strict=True)
            found = torch.autograd.grad(
                roots, tensors, grad_outputs=seeds, retain_graph=True, allow_unused=True
            )
            return list(found)

        return [o.detach() for o in outputs], extra, back
    raise RuntimeError(f"Gradients are not known for the Keras backend {backend!r}.")


def _listed(pair):
    outputs, extra = pair
    return list(outputs), extra


def compiled(function):
    """``function(*tensors) -> tensor`` made ready for being called many times."""
    backend = keras.backend.backend()
    if backend == "tensorflow":
        import tensorflow as tf

        return tf.function(function, autograph=False, reduce_retracing=True)
    if backend == "jax":
        import jax

        return jax.jit(function)
    if backend == "torch":
        import torch

        return torch.no_grad()(function)
    return function


@contextlib.contextmanager
def same_draws():
    """Random numbers drawn inside are the same each time.

    A ``keras.StatelessScope`` does this for Keras' seed generators. On torch a layer without a
    seed draws from torch's own generator instead, which is set here and put back.
    """
    if keras.backend.backend() != "torch":
        yield
        return
    import torch

    with torch.random.fork_rng():
        torch.manual_seed(0)
        yield
