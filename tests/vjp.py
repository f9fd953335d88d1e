"""Vector-Jacobian products of a layer on whichever Keras backend runs the tests."""

import keras

BACKEND = keras.backend.backend()


def vjp(layer, x, upstream, jit=False, **call):
    """``(y, dx, gradients)`` of ``sum(layer(x) * upstream)``; gradients per trainable variable.

    ``x`` and ``upstream`` are NumPy arrays; the layer is built and keeps its new state.
    """
    return {"tensorflow": _tensorflow, "jax": _jax, "torch": _torch}[BACKEND](
        layer, x, upstream, jit, call
    )


def _tensorflow(layer, x, upstream, jit, call):
    import tensorflow as tf

    @tf.function(jit_compile=jit)
    def run(x, upstream):
        variables = [v.value for v in layer.trainable_variables]
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = layer(x, **call)
        gradients = tape.gradient(y, [x, *variables], tf.cast(upstream, y.dtype))
        return y, gradients[0], gradients[1:]

    y, dx, gradients = run(tf.constant(x), tf.constant(upstream))
    return _out(y), _out(dx), [_out(g) for g in gradients]


def _jax(layer, x, upstream, jit, call):
    import jax

    state = [v.value for v in layer.non_trainable_variables]

    def loss(x, trainable):
        y, new = layer.stateless_call(trainable, state, x, **call)
        return (y * upstream.astype(y.dtype)).sum(), (y, new)

    run = jax.grad(loss, argnums=(0, 1), has_aux=True)
    run = jax.jit(run) if jit else run
    trainable = [v.value for v in layer.trainable_variables]
    (dx, gradients), (y, new) = run(jax.numpy.asarray(x), trainable)
    for variable, value in zip(layer.non_trainable_variables, new, strict=True):
        variable.assign(value)
    return _out(y), _out(dx), [_out(g) for g in gradients]


def _torch(layer, x, upstream, jit, call):
    import torch

    x = torch.tensor(x, requires_grad=True)
    y = layer(x, **call)
    variables = [v.value for v in layer.trainable_variables]
    gradients = torch.autograd.grad(y, [x, *variables], torch.tensor(upstream).to(y.dtype))
    return _out(y), _out(gradients[0]), [_out(g) for g in gradients[1:]]


def _out(x):
    if keras.backend.standardize_dtype(x.dtype) == "bfloat16":  # Not a NumPy dtype.
        x = keras.ops.cast(x, "float32")
    return keras.ops.convert_to_numpy(x).astype("float64")
