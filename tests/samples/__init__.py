"""One ready-made instance of every public name, for the sweep in ``test_contracts.py``.

Each module here stands for a room and holds ``SAMPLES``, a table from public name to one of the
forms below. ``make`` is called anew for every test, so nothing is shared between them.

    SAMPLES = {
        "LeakyReLU": Layer(lambda: layers.LeakyReLU(0.2)),
        "relu": Activation(),
        "gelu": Activation(approximate=True),
        "HeNormal": Initializer(lambda: initializers.HeNormal(seed=1)),
        "Huber": Loss(lambda: losses.Huber(delta=2.0)),
        "L1": Regularizer(lambda: regularizers.L1(0.1)),
        "OneCycle": Schedule(lambda: schedules.OneCycle(0.1, 100)),
        "Adam": Optimizer(lambda: optimizers.Adam(0.01)),
        "TimeStopping": Callback(lambda directory: callbacks.TimeStopping(60)),
        "lsuv_scale": TestedIn("test_initializers.py"),
    }
"""

from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass
class Layer:
    """A layer and the shape of its input, batch included; the data are standard normal.

    ``masks``: a mask on (batch, time, features) must come out as it went in.
    ``random``: outputs while training differ between eager, traced and XLA-compiled code.
    ``prepare``: called with the layer and the input before use (``adapt``, for instance).
    ``policies``: dtype policies it must run under.
    """

    make: Callable
    shape: tuple = (4, 3, 5)
    masks: bool = True
    random: bool = False
    prepare: Callable | None = None
    policies: tuple = ("mixed_float16", "float64")
    #: "normal", or "integers" below ``high`` for layers that look something up.
    inputs: str = "normal"
    high: int = 10


class Activation:
    """An activation function, with keyword arguments to call it with."""

    def __init__(self, **kwargs):
        self.kwargs = kwargs


@dataclass
class Initializer:
    make: Callable


@dataclass
class Loss:
    """A loss; ``targets`` is "real", "binary", "one_hot", "integers" or "signs"."""

    make: Callable
    targets: str = "real"
    from_logits: bool = True


@dataclass
class LossFunction:
    """A loss as a plain function of ``(y_true, y_pred)``."""

    targets: str = "real"
    kwargs: dict = field(default_factory=dict)


@dataclass
class Regularizer:
    make: Callable


@dataclass
class Schedule:
    make: Callable


@dataclass
class Optimizer:
    make: Callable


@dataclass
class Callback:
    """A callback made for a temporary directory: ``make(directory)``."""

    make: Callable


@dataclass
class TestedIn:
    """Neither of the above: a function or class whose laws stand in a test file of its own."""

    path: str
    __test__ = False
