"""What ``backprop_trace`` returns: plain arrays, a table, a picture."""

from dataclasses import dataclass, field

import numpy as np

from keras_dlnotes._names import shortened
from keras_dlnotes.diagnostics._text import table


@dataclass
class Edge:
    """A gradient handed back from call number ``consumer`` to call number ``source``.

    The source -1 is an input of the model, the consumer after the last call is the loss. ``times``
    says how often the consumer takes the tensor.
    """

    source: int
    consumer: int
    name: str
    norm: float
    times: int = 1


@dataclass
class TracedCall:
    """One call of one layer.

    ``output_gradients`` has dL/d output for each output; ``gain`` is |dL/d input| over
    |dL/d output| (NaN without a floating-point input), ``activation_gain`` the activation
    function's share of it (at most 0.25 for the sigmoid) where the layer has one, else None.
    Where TensorFlow's cross-entropy takes the logits in place of the probabilities, they are
    the output.
    """

    name: str
    kind: str
    inputs: list
    output_gradients: list = field(repr=False)
    weight_gradients: dict = field(repr=False)
    output_norm: float
    input_norm: float
    gain: float
    activation_gain: float | None
    paths: int = 0

    @property
    def weight_norm(self):
        """Norm of this call's weight gradients; NaN without weights."""
        squares = [np.sum(np.square(g.astype("float64"))) for g in self.weight_gradients.values()]
        return float(np.sqrt(sum(squares))) if squares else float("nan")


@dataclass
class BackpropTrace:
    """Every gradient of one backward pass.

    ``calls`` stand in the order of evaluation; ``weight_gradients`` maps variable paths to the
    sums over all calls, regularizers included; ``input_gradients`` and ``input_paths`` map inputs'
    names; ``edges`` holds what was handed back from call to call.
    """

    name: str
    loss: float
    calls: list
    edges: list
    weight_gradients: dict = field(repr=False)
    input_gradients: dict = field(repr=False)
    input_paths: dict

    def __getitem__(self, name):
        """The call of this name."""
        for call in self.calls:
            if call.name == name:
                return call
        raise KeyError(f"{name!r} is none of {[call.name for call in self.calls]}")

    @property
    def visits(self):
        """Calls that remembering visits: each that a gradient comes to, once."""
        return sum(call.paths > 0 for call in self.calls)

    @property
    def naive_visits(self):
        """Calls that walking every path by itself would visit."""
        return sum(call.paths for call in self.calls)

    @property
    def gains(self):
        return np.array([call.gain for call in self.calls])

    @property
    def output_norms(self):
        return np.array([call.output_norm for call in self.calls])

    def report(self):
        """A table from the loss back to the inputs, at most 100 columns wide."""
        rows = []
        for call in reversed(self.calls):
            if not call.paths:  # Whole numbers, masks: no gradient comes this way.
                continue
            part = call.activation_gain
            rows.append(
                (
                    shortened(call.name, 34),
                    shortened(call.kind, 18),
                    f"{call.output_norm:.2e}",
                    "" if np.isnan(call.gain) else f"{call.gain:.3g}",
                    "" if part is None else f"{part:.3f}",
                    "" if np.isnan(call.weight_norm) else f"{call.weight_norm:.2e}",
                    _short_count(call.paths),
                )
            )
        header = ("call", "layer", "|dL/dout|", "gain", "act. gain", "|dL/dw|", "paths")
        lines = [
            f"Backpropagation through {self.name}, from the loss ({self.loss:.6g}) to the inputs",
            table(header, rows, left=2),
        ]
        for name, gradient in self.input_gradients.items():
            lines.append(f"|dL/d {name}| = {np.linalg.norm(gradient.ravel()):.2e}")
        lines.append(
            f"Each call was visited once: {self.visits} visits. "
            f"Along every path: {_short_count(self.naive_visits)} visits."
        )
        lines.extend(self._falling())
        return "\n".join(lines)

    __str__ = report

    def _falling(self):
        """What the gradient loses per weighted layer, where it falls all the way."""
        weighted = [c for c in self.calls if c.weight_gradients and c.output_norm > 0]
        if len(weighted) < 2:
            return
        first, last = weighted[0], weighted[-1]
        factor = (first.output_norm / last.output_norm) ** (1 / (len(weighted) - 1))
        if factor < 0.5 or factor > 2:
            verb = "falls" if factor < 1 else "grows"
            yield (
                f"From {last.name} back to {first.name} the gradient {verb} from "
                f"{last.output_norm:.2e} to {first.output_norm:.2e}: "
                f"a factor of {factor:.3g} a layer."
            )

    def plot(self, ax=None):
        """Draws the chain with the gradient's size at each edge; see ``plots.backprop_trace``."""
        from keras_dlnotes import plots

        return plots.backprop_trace(self, ax=ax)


def _short_count(number):
    return str(number) if number < 10**9 else f"{float(number):.2e}" if number < 10**300 else "huge"
