"""What gradients say about a net, in words. Plain NumPy on the numbers of one epoch.

The rules follow the notes: a gradient on its way to the input is multiplied layer by layer, so it
vanishes or explodes geometrically; a ReLU that is never active passes nothing; a sigmoid has a
slope of at most 1/4 and almost none at its ends; an update of about a thousandth of the weights a
step is healthy.
"""

from dataclasses import dataclass

import numpy as np

from keras_dlnotes.callbacks.diagnosis.layer_state import chain, feeding, steps, ways

#: The largest slope of the activations that saturate.
SLOPES = {"sigmoid": 0.25, "hard_sigmoid": 0.2, "tanh": 1.0, "softsign": 1.0, "hard_tanh": 1.0}

REMEDY = {
    "nonfinite": "lower the learning rate, clip (global_clipnorm=1.0), look for log(0) or a "
    "division by zero in the loss, and for NaN in the data",
    "vanishing": "use ReLU with He initialisation, BatchNormalization between the layers, or "
    "residual connections",
    "exploding": "clip (global_clipnorm=1.0), lower the learning rate, scale inputs and targets, "
    "use smaller initial weights (Glorot or He) or BatchNormalization",
    "dead": "lower the learning rate, use LeakyReLU or ELU, He initialisation and small positive "
    "or zero biases",
    "saturated": "scale the inputs, start from smaller weights (Glorot), use BatchNormalization "
    "before the activation, or ReLU",
    "update_large": "lower the learning rate (an update of 1e-3 of the weights is healthy)",
    "update_small": "raise the learning rate (an update of 1e-3 of the weights is healthy)",
}


@dataclass(frozen=True)
class Thresholds:
    vanishing: float = 1e-3
    exploding: float = 1e3
    dead: float = 0.9
    saturated: float = 0.2
    update_ratio: tuple = (1e-6, 0.3)


@dataclass(frozen=True)
class Problem:
    """What was found: its kind, the layers (input side first), the number, and it all in words."""

    kind: str
    layers: tuple
    value: float
    message: str

    def __str__(self):
        return self.message


def diagnose(layers, thresholds=None, global_max=np.nan, loss=0.0):
    """Problems of a net whose ``layers`` stand in order from the input to the output.

    Args:
        layers: List of ``LayerState``.
        thresholds: A ``Thresholds``.
        global_max: Float. The epoch's largest norm of all gradients together.
        loss: Float. The epoch's loss, which can be NaN though no gradient is.

    Returns:
        List of ``Problem``, the most pressing first.

    Example:
        >>> from keras_dlnotes.callbacks.diagnosis.layer_state import LayerState
        >>> net = [LayerState(f"dense_{i}", 0.1 ** (4 - i)) for i in range(5)]
        >>> for problem in diagnose(net):
        ...     print(problem.kind, problem.layers, f"{problem.value:.2g}")
        vanishing ('dense_0',) 0.1
    """
    thresholds = thresholds or Thresholds()
    found = nonfinite(layers, loss)
    dead_ones = dead(layers, thresholds.dead)
    found += dead_ones
    lost = {name for problem in dead_ones for name in problem.layers}
    alive = [layer for layer in layers if layer.name not in lost]
    saturated_ones = saturated(alive, thresholds.saturated)
    found += exploding(alive, thresholds.exploding, global_max)
    vanishing_ones = vanishing(alive, thresholds.vanishing)
    found += vanishing_ones + saturated_ones
    quiet = {name for problem in vanishing_ones for name in problem.layers}
    return found + update_ratio(alive, thresholds.update_ratio, quiet)


def problem(kind, layers, value, text):
    return Problem(kind, names_of(layers), float(value), f"{text} Remedy: {REMEDY[kind]}.")


def names_of(layers):
    """Names of layers, which may be names already."""
    return tuple(getattr(layer, "name", layer) for layer in layers)


def listed(layers, most=4):
    names = names_of(layers)
    if len(names) > most:
        return f"{', '.join(names[: most - 1])} and {len(names) - most + 1} more"
    return ", ".join(names)


def nonfinite(layers, loss):
    bad = [layer for layer in layers if layer.nonfinite > 0]
    if not bad and np.isfinite(loss):
        return []
    if not bad:
        text = (
            f"The loss is {loss:g}, though all gradients are finite: the slope of a logarithm or a "
            "root is a number even where the value is none, or a sum overflows."
        )
        return [problem("nonfinite", [], loss, text)]
    step = min(layer.first_nonfinite or np.inf for layer in bad)
    first = [layer for layer in bad if layer.first_nonfinite == step] or bad
    count = sum(layer.nonfinite for layer in bad)
    text = (
        f"Non-finite gradients: {count:.0f} infinities or NaN, the first at optimizer step "
        f"{step:.0f} in {listed(first)}."
    )
    return [problem("nonfinite", first, step, text)]


def vanishing(layers, threshold):
    """Layers whose gradient is under ``threshold`` of that of a layer nearer to the output."""
    line = chain(layers)
    after = ways(line)
    norms = np.array([layer.gradient_norm for layer in line])
    small = [i for i, js in enumerate(after) if js and norms[i] < threshold * norms[js].max()]
    if not small:
        return []
    first = small[0]
    peak = max(after[first], key=lambda j: norms[j])
    factor = (norms[first] / norms[peak]) ** (1 / steps(after, first, peak))
    text = (
        f"Vanishing gradients: from {line[peak].name} down to {line[first].name} the norm falls "
        f"from {norms[peak]:.1e} to {norms[first]:.1e}, by a factor of {factor:.2g} per layer; "
        f"hardly any learning in {listed([line[i] for i in small])}."
    )
    return [problem("vanishing", [line[i] for i in small], factor, text)]


def exploding(layers, threshold, global_max):
    """Norms that grow towards the input, or that are large by themselves."""
    line = chain(layers)
    norms = np.array([layer.gradient_norm for layer in line])
    after = ways(line)
    # The last layers on the way to the outputs, the one with the largest gradient for each layer.
    ends = [
        max((j for j in js if not after[j]), key=lambda j: norms[j], default=None) for js in after
    ]
    large = [i for i, j in enumerate(ends) if j is not None and norms[i] > threshold * norms[j]]
    if large:
        first, last = large[0], ends[large[0]]
        factor = (norms[first] / norms[last]) ** (1 / steps(after, first, last))
        text = (
            f"Exploding gradients: from {line[last].name} down to {line[first].name} the norm "
            f"grows from {norms[last]:.1e} to {norms[first]:.1e}, by a factor of {factor:.2g} "
            f"per layer; too large in {listed([line[i] for i in large])}."
        )
        return [problem("exploding", [line[i] for i in large], factor, text)]
    if np.isfinite(global_max) and global_max > threshold and line:
        # The layer with the largest share.
        peaks = [np.nan_to_num(layer.largest_norm, nan=layer.gradient_norm) for layer in line]
        worst = line[int(np.argmax(peaks))]
        text = (
            f"Exploding gradients: the norm of all gradients reached {global_max:.1e}, most of it "
            f"in {worst.name} ({max(peaks):.1e})."
        )
        return [problem("exploding", [worst], global_max, text)]
    return []


def dead(layers, threshold):
    """Layers with (almost) no gradient at all; the one nearest to the output is the cause."""
    line = [layer for layer in layers if not layer.sparse]
    gone = {
        layer.name: layer for layer in line if layer.largest_norm == 0 or layer.zeros >= threshold
    }
    fed = dict(feeding(line))
    found = {}
    for layer in gone.values():
        cause, passed = layer.name, set()
        while fed[cause] and gone.keys() >= set(fed[cause]) and cause not in passed:
            passed.add(cause)
            cause = fed[cause][-1]
        found.setdefault(cause, []).append(layer)
    return [_dead(gone[cause], lost) for cause, lost in found.items()]


def _dead(cause, lost):
    share = 1.0 if cause.largest_norm == 0 else cause.zeros
    before = [layer for layer in lost if layer is not cause]
    text = f"Dead layer: {share:.0%} of the gradient of {cause.name} is exactly zero"
    text += f", and with it {listed(before)} gets none." if before else "."
    return problem("dead", lost, share, text)


def saturated(layers, threshold):
    """Sigmoid and tanh layers whose slope is a small part of the largest possible.

    The bias's gradient of a layer is that of the layers it feeds, times their weights, times the
    activation's slope. The gradient of a random direction through weights W of such a layer
    changes its size by about |W| / sqrt(units of that layer). What is missing is the slope, and
    since examples do not pull the same way, its root mean square rather than its mean.
    """
    by_name = {layer.name: layer for layer in layers}
    found = []
    for layer, (_, names) in zip(layers, feeding(layers), strict=True):
        slope = SLOPES.get(layer.activation)
        fed = [by_name.get(name) for name in names]
        known = fed and all(f and f.bias_norm > 0 and f.weight_norm > 0 for f in fed)
        if slope is None or not known:
            continue
        received = np.sqrt(sum((f.bias_norm * f.weight_norm) ** 2 / f.units for f in fed))
        mean_slope = layer.bias_norm / received
        if mean_slope < threshold * slope:
            text = (
                f"Saturated {layer.activation} in {layer.name}: its slope is about "
                f"{mean_slope:.1e} (root mean square) of at most {slope:g}; large inputs, or "
                f"weights of norm {layer.weight_norm:.1e}, push it to its ends."
            )
            found.append(problem("saturated", [layer], mean_slope, text))
    return found


def update_ratio(layers, bounds, quiet):
    low, high = bounds
    line = [layer for layer in layers if layer.kernel and np.isfinite(layer.update_ratio)]
    large = [layer for layer in line if layer.update_ratio > high]
    small = [
        layer
        for layer in line
        if layer.update_ratio < low and layer.name not in quiet and not layer.sparse
    ]
    found = []
    if large:
        worst = max(large, key=lambda layer: layer.update_ratio)
        text = (
            f"Large updates: each step changes the weights of {worst.name} by "
            f"{worst.update_ratio:.1e} of their size (over {high:g}: {listed(large)})."
        )
        found.append(problem("update_large", large, worst.update_ratio, text))
    if small:
        worst = min(small, key=lambda layer: layer.update_ratio)
        text = (
            f"Small updates: each step changes the weights of {worst.name} by only "
            f"{worst.update_ratio:.1e} of their size (under {low:g}: {listed(small)})."
        )
        found.append(problem("update_small", small, worst.update_ratio, text))
    return found
