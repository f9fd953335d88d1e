"""Pictures of activation functions, and of what initial weights make of a signal."""

import keras
import numpy as np
from keras import ops

from keras_dlnotes import _checks
from keras_dlnotes._names import labelled
from keras_dlnotes.plots._canvas import axes, grid, lines


def activation(functions, low=-4.0, high=4.0, *, ax=None, derivative=False):
    """Draws activation functions, or their derivatives, over a range of inputs.

    Args:
        functions: A function of `keras_dlnotes.activations` or any other, or the name of one of
            Keras'; a list of them, or a dict from labels to them.
        low, high: Floats. The range. Default to -4 and 4.
        ax: Axes to draw on. Defaults to None, a new figure.
        derivative: Boolean. Whether to draw the slope instead of the value, by central
            differences. Defaults to False.

    Returns:
        The Axes.
    """
    low, high = _checks.number("low", low), _checks.number("high", high)
    if low >= high:
        _checks.fail("high", f"be greater than low={low}", high)
    functions = {k: keras.activations.get(f) for k, f in labelled(functions).items()}
    ax = axes(ax)
    # An even number of points, so that none falls on the corner at zero.
    x = np.linspace(low, high, 800)
    for (label, function), style in zip(functions.items(), lines(), strict=False):

        def value(z, function=function):
            tensor = ops.convert_to_tensor(z.astype("float32"))
            return ops.convert_to_numpy(function(tensor)).astype("float64")

        if derivative:
            step = (high - low) / 1600
            y = (value(x + step) - value(x - step)) / (2 * step)
        else:
            y = value(x)
        ax.plot(x, y, label=label, **style)
    ax.axhline(0, color="0.8", linewidth=0.8, zorder=0)
    ax.axvline(0, color="0.8", linewidth=0.8, zorder=0)
    ax.set(xlabel="input z", ylabel="slope f'(z)" if derivative else "output f(z)")
    ax.set_title("Derivatives" if derivative else "Activations")
    ax.legend()
    return ax


def initial_activations(model, x, *, ax=None, bins=50):
    """Draws the distribution of each hidden layer's outputs, before any training.

    Weights too small squeeze the signal to zero layer by layer, weights too large drive sigmoids to
    their ends; with weights that suit the activation the distributions stay alike.

    Args:
        model: A built functional or sequential model.
        x: A batch of inputs.
        ax: One Axes a layer, or one to be divided. Defaults to None, a new figure.
        bins: Integer. Defaults to 50.

    Returns:
        The list of Axes.
    """
    if not getattr(model, "inputs", None):
        _checks.fail("model", "be a functional or sequential model that is built", model)
    watched = [
        layer
        for layer in model.layers
        if getattr(layer, "activation", None) is not None and len(layer.output.shape) >= 2
    ]
    if not watched:
        raise ValueError(f"Model '{model.name}' has no layer with an activation.")
    if any(0 in np.shape(leaf) for leaf in keras.tree.flatten(x)):
        _checks.fail("x", "hold one example at least", x)
    inputs = model.inputs[0] if len(model.inputs) == 1 else model.input
    outputs = keras.Model(inputs, [layer.output for layer in watched])(x, training=False)
    drawn = grid(len(watched), ax, columns=5, size=2.4)
    for layer, output, part in zip(watched, outputs, drawn, strict=True):
        values = ops.convert_to_numpy(output).astype("float64").ravel()
        part.hist(values[np.isfinite(values)], bins=bins, color="#0072B2")
        part.set_title(f"{layer.name}: std {values.std():.2g}", fontsize=9)
        part.locator_params(axis="x", nbins=3)
        part.ticklabel_format(axis="x", style="sci", scilimits=(-2, 3))
        part.set(yticks=[], xlabel="output", ylabel="count")
    return drawn
