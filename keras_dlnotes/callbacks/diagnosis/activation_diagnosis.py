"""What the outputs of layers say about a net, in words."""

from keras_dlnotes.callbacks.diagnosis.gradient_diagnosis import listed, problem
from keras_dlnotes.callbacks.measures.activation_recorder import STATISTICS
from keras_dlnotes.callbacks.measures.running_tables import COUNT, MEAN

MEANS, ZEROS, SATURATED = (
    STATISTICS.index(f"activation_{name}") for name in ("mean", "zeros", "saturated")
)


def diagnose(measured, dead_units, kinds, dead, saturated):
    """Problems of one epoch, the most pressing first.

    Args:
        measured: What the recorder took, by layer, in the order of the net.
        dead_units: The numbers of the units that were never active, by layer.
        kinds: The name of each layer's activation.
        dead, saturated: Shares from which on a layer is.
    """
    found = nonfinite(measured)
    for name, idle in dead_units.items():
        units = len(measured[name]["active"])
        if len(idle) >= dead * units:
            some = ", ".join(map(str, idle[:8])) + (", ..." if len(idle) > 8 else "")
            text = (
                f"Dead ReLU: {len(idle)} of {units} units of {name} were never active "
                f"in the epoch ({some})."
            )
            found.append(problem("dead", [name], len(idle) / units, text))
    for name, part in measured.items():
        count, share = part["table"][SATURATED, [COUNT, MEAN], 0]
        if count and share >= saturated:
            text = (
                f"Saturated {kinds[name]} in {name}: {share:.0%} of its outputs lie where the "
                "slope is under 5 % of its largest."
            )
            found.append(problem("saturated", [name], share, text))
    return found


def nonfinite(measured):
    """Layers that put out infinities or NaN: a mean is then none, a share of zeros still one."""
    shares = {
        name: 1 - part["table"][MEANS, COUNT, 0] / part["table"][ZEROS, COUNT, 0]
        for name, part in measured.items()
    }
    bad = [name for name, share in shares.items() if share > 0]
    if not bad:
        return []
    text = (
        f"Non-finite outputs: infinities or NaN in {shares[bad[0]]:.0%} of the batches from "
        f"{bad[0]} on ({listed(bad)})."
    )
    return [problem("nonfinite", bad, shares[bad[0]], text)]
