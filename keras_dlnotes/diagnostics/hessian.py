"""How sharply a loss bends: extreme eigenvalues of its Hessian."""

from dataclasses import dataclass, field

import keras
import numpy as np
from keras import ops

from keras_dlnotes import _checks
from keras_dlnotes.diagnostics._data import prepared
from keras_dlnotes.diagnostics._evaluator import batch_loss


@dataclass
class HessianEigenvalues:
    """``eigenvalues``, first the one asked for first; ``residuals`` |Hv - λv| for each.

    ``eigenvectors`` has one column each, over the trainable weights flattened in order;
    ``products`` counts Hessian-vector products.
    """

    eigenvalues: np.ndarray
    residuals: np.ndarray
    products: int
    converged: bool
    eigenvectors: np.ndarray = field(repr=False)

    def report(self):
        values = ", ".join(
            f"{value:.5g} (± {residual:.1g})"
            for value, residual in zip(self.eigenvalues, self.residuals, strict=True)
        )
        state = "converged" if self.converged else "NOT converged"
        return f"Hessian eigenvalues {values}; {state} after {self.products} products"

    __str__ = report


def hessian_eigenvalues(
    model,
    data,
    *,
    count=1,
    method="lanczos",
    loss=None,
    batch_size=1024,
    steps=100,
    tolerance=1e-3,
    seed=0,
):
    """Largest eigenvalues of the Hessian of the loss: the sharpness of the minimum.

    The Hessian itself, with the square of the number of weights, is never formed; all that is
    needed are products ``H v``, each about as dear as two gradients:

        H v = d/dw (dL/dw . v)

    "power" repeats ``v = H v / |H v|`` and finds the eigenvalues of largest magnitude, one after
    the other. "lanczos" keeps all vectors on the way and finds the algebraically largest ones in
    far fewer products, at the cost of the memory for ``steps`` copies of the weights.

    Args:
        model: A model; the Hessian is that over its trainable weights.
        data: As for `loss_landscape`.
        count: How many eigenvalues. Defaults to 1.
        method: "lanczos" or "power". Defaults to "lanczos".
        loss: Loss for a model that is not compiled. Defaults to None.
        batch_size: Rows at once. Defaults to 1024.
        steps: Most products (for each eigenvalue, with "power"). Defaults to 100.
        tolerance: Done when |Hv - λv| is at most this share of the largest |λ|. Defaults to 1e-3.
        seed: Seed of the first vector. Defaults to 0.

    Example:
        >>> model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1, use_bias=False)])
        >>> x = np.array([[3.0, 0.0], [0.0, 1.0]])  # Loss: mean square, Hessian: x^T x.
        >>> hessian_eigenvalues(model, (x, np.zeros((2, 1))), loss="mse", count=2).eigenvalues
        array([9., 1.])

    Reference: [Pearlmutter, 1994](https://doi.org/10.1162/neco.1994.6.1.147);
    [Lanczos, 1950](https://doi.org/10.6028/jres.045.026)
    """
    method = _checks.one_of("method", method, ("lanczos", "power"))
    count, steps = _checks.integer("count", count, 1), _checks.integer("steps", steps, 1)
    tolerance = _checks.number("tolerance", tolerance, "(0, inf)")
    batches = prepared(model, data, _checks.integer("batch_size", batch_size, 1))
    product, size = _product(model, batches, loss)
    if count > size:
        _checks.fail("count", f"be at most the number of trainable weights, {size}", count)
    generator = np.random.default_rng(_checks.integer("seed", seed, 0))
    find = _lanczos if method == "lanczos" else _power
    return find(product, size, count, steps, tolerance, generator)


def _product(model, batches, loss):
    """``(v -> H v on flat float64 arrays, number of weights)``."""
    weights = model.trainable_weights
    losses = batch_loss(model, loss)
    shapes = [tuple(v.shape) for v in weights]
    ends = np.cumsum([int(np.prod(shape)) for shape in shapes])

    def total(values):
        mapping = list(zip(weights, values, strict=True))
        zero = ops.zeros((), "float32")
        summed = batches.reduce(lambda b: losses(mapping, b), zero, batches.tensors())
        return summed / batches.total

    start = [ops.convert_to_tensor(v.value) for v in weights]
    run = _compiled_product(total, start)

    def product(vector):
        parts = np.split(vector, ends[:-1])
        along = [
            ops.convert_to_tensor(part.reshape(shape), dtype=v.dtype)
            for part, shape, v in zip(parts, shapes, weights, strict=True)
        ]
        found = [np.ravel(ops.convert_to_numpy(h)) for h in run(along)]
        found = np.concatenate(found).astype("float64")
        if not np.all(np.isfinite(found)):
            raise ValueError(
                "The second derivatives of the loss are not finite here; there is no eigenvalue "
                "to find. Are the data and the weights finite?"
            )
        return found

    return product, int(ends[-1]) if len(ends) else 0


def _compiled_product(total, start):
    backend = keras.backend.backend()
    if backend == "tensorflow":
        import tensorflow as tf

        @tf.function(autograph=False)
        def run(along):
            with tf.GradientTape() as outer:
                outer.watch(start)
                with tf.GradientTape() as inner:
                    inner.watch(start)
                    loss = total(start)
                gradient = inner.gradient(loss, start, unconnected_gradients="zero")
                gradient = [tf.convert_to_tensor(g) for g in gradient]
                slope = tf.add_n(
                    [tf.reduce_sum(g * v) for g, v in zip(gradient, along, strict=True)]
                )
            found = outer.gradient(slope, start, unconnected_gradients="zero")
            return [tf.convert_to_tensor(h) for h in found]

        return run
    if backend == "jax":
        import jax

        return jax.jit(lambda along: jax.jvp(jax.grad(total), (start,), (along,))[1])
    import torch

    def run(along):
        leaves = [s.detach().clone().requires_grad_(True) for s in start]
        gradient = torch.autograd.grad(total(leaves), leaves, create_graph=True, allow_unused=True)
        used = [(g, v) for g, v in zip(gradient, along, strict=True) if g is not None]
        slope = sum((g * v).sum() for g, v in used)
        if not slope.requires_grad:  # A loss linear in the weights.
            return [torch.zeros_like(leaf) for leaf in leaves]
        found = torch.autograd.grad(slope, leaves, allow_unused=True)
        return [
            torch.zeros_like(leaf) if h is None else h
            for h, leaf in zip(found, leaves, strict=True)
        ]

    return run


def _lanczos(product, size, count, steps, tolerance, generator):
    basis = [_unit(generator.normal(size=size))]
    diagonal, beside = [], []
    limit = min(max(steps, count), size)
    while True:
        image = product(basis[-1])
        diagonal.append(image @ basis[-1])
        # Twice against all vectors so far: rounding would bring back eigenvalues found already.
        for _ in range(2):
            stacked = np.stack(basis)
            image = image - stacked.T @ (stacked @ image)
        small = np.diag(diagonal) + np.diag(beside, 1) + np.diag(beside, -1)
        values, vectors = np.linalg.eigh(small)
        order = np.argsort(values)[::-1][:count]
        rest = np.linalg.norm(image)
        residuals = rest * np.abs(vectors[-1, order])
        largest = max(np.abs(values).max(), 1e-30)
        enough = len(diagonal) >= count
        done = enough and np.all(residuals <= tolerance * largest)
        # A space that closes on itself holds all that the first vector can reach.
        closed = rest <= 1e-6 * largest
        if done or len(diagonal) >= limit:
            converged = bool(done or closed or len(diagonal) == size)
            found = np.stack(basis).T @ vectors[:, order]
            return HessianEigenvalues(values[order], residuals, len(diagonal), converged, found)
        if closed:
            image = generator.normal(size=size)
            for _ in range(2):
                image = image - stacked.T @ (stacked @ image)
            rest = 0.0
        beside.append(rest)
        basis.append(_unit(image))


def _power(product, size, count, steps, tolerance, generator):
    values, vectors, residuals, products, converged = [], [], [], 0, True
    for _ in range(count):
        vector = _unit(generator.normal(size=size))
        for step in range(steps):
            for known in vectors:  # Eigenvectors are at right angles: stay beside those known.
                vector = vector - known * (known @ vector)
            vector = _unit(vector)
            image = product(vector)
            products += 1
            value = vector @ image
            residual = np.linalg.norm(image - value * vector)
            largest = max(abs(value), *map(abs, values), 1e-30) if values else abs(value)
            if residual <= tolerance * max(largest, 1e-30):
                break
            if step < steps - 1:
                vector = image
        else:
            converged = False
        values.append(value)
        vectors.append(_unit(vector))
        residuals.append(residual)
    return HessianEigenvalues(
        np.array(values), np.array(residuals), products, converged, np.stack(vectors, axis=1)
    )


def _unit(vector):
    return vector / max(np.linalg.norm(vector), 1e-300)
