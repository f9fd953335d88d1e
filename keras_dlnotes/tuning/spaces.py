"""Search spaces: hyper-parameters with fixed, flat names, whatever values the others take.

Keras Tuner remembers hyper-parameters by name. A name that exists only under a condition (units of
a third layer, when there are three) is missing when a search is read back with other values, so
here every name is always declared; what a configuration does not use lies idle.
"""

from keras_dlnotes import _checks, optimizers

#: The optimizers on offer, each with the range of learning rates that suits it.
LEARNING_RATES = {
    "sgd": (1e-2, 1.0),
    "momentum": (2e-2, 0.2),
    "rmsprop": (1e-4, 1e-2),
    "adam": (2e-3, 1e-2),
    "adamw": (2e-3, 1e-2),
}
OPTIMIZERS = {
    "sgd": lambda rate: optimizers.SGD(rate),
    "momentum": lambda rate: optimizers.Momentum(rate),
    "rmsprop": lambda rate: optimizers.RMSProp(rate),
    "adam": lambda rate: optimizers.Adam(rate),
    "adamw": lambda rate: optimizers.AdamW(rate),
}
SCHEDULES = ("constant", "cosine", "one_cycle")


def choice(hp, name, values):
    """One of `values`; a single value is fixed."""
    values = list(values) if isinstance(values, (tuple, list)) else [values]
    if len(values) == 1:
        return hp.Fixed(name, values[0])
    if all(isinstance(value, bool) for value in values):
        return hp.Boolean(name, values[0])  # A choice would make numbers of them.
    return hp.Choice(name, values)


def integer(hp, name, bounds, **how):
    """An integer between two bounds; a single number is fixed."""
    low, high = bounds if isinstance(bounds, (tuple, list)) else (bounds, bounds)
    return hp.Fixed(name, low) if low == high else hp.Int(name, low, high, **how)


def real(hp, name, bounds, **how):
    """A real number between two bounds; a single number is fixed."""
    low, high = bounds if isinstance(bounds, (tuple, list)) else (bounds, bounds)
    return hp.Fixed(name, float(low)) if low == high else hp.Float(name, low, high, **how)


def checked_bounds(name, bounds, check, *limits):
    """A number or an ordered pair of numbers, each passing `check`."""
    pair = bounds if isinstance(bounds, (tuple, list)) else (bounds, bounds)
    if len(pair) != 2 or pair[0] > pair[1]:
        _checks.fail(name, "be a number or a pair (low, high)", bounds)
    return tuple(check(name, bound, *limits) for bound in pair)


def checked_choices(name, values, allowed=None):
    """A non-empty tuple of choices, each among `allowed` where that is given."""
    values = tuple(values) if isinstance(values, (tuple, list)) else (values,)
    if not values:
        _checks.fail(name, "hold at least one choice", values)
    for value in values:
        if allowed is not None:
            _checks.one_of(name, value, tuple(allowed))
    return values


class TrainingSpace:
    """How to train: optimizer with its own learning rate, schedule, batch size and epochs."""

    def __init__(self, optimizer_rates, schedules, batch_sizes, epochs):
        if not isinstance(optimizer_rates, dict) or not optimizer_rates:
            _checks.fail("optimizers", "map names to ranges of learning rates", optimizer_rates)
        checked_choices("optimizers", tuple(optimizer_rates), OPTIMIZERS)
        self.optimizer_rates = {
            name: checked_bounds("optimizers", bounds, _checks.number, "(0, inf)")
            for name, bounds in optimizer_rates.items()
        }
        self.schedules = checked_choices("schedules", schedules, SCHEDULES)
        self.batch_sizes = checked_choices("batch_sizes", batch_sizes)
        for size in self.batch_sizes:
            _checks.integer("batch_sizes", size, 1)
        self.epochs = checked_bounds("epochs", epochs, _checks.integer, 1)

    def declare(self, hp):
        """Makes every name known to `hp`."""
        choice(hp, "optimizer", tuple(self.optimizer_rates))
        for name, bounds in self.optimizer_rates.items():
            real(hp, f"learning_rate_{name}", bounds, sampling="log")
        choice(hp, "schedule", self.schedules)
        choice(hp, "batch_size", self.batch_sizes)
        integer(hp, "epochs", self.epochs)

    def learning_rate(self, hp):
        return float(hp.get(f"learning_rate_{hp.get('optimizer')}"))

    def optimizer(self, hp):
        return OPTIMIZERS[hp.get("optimizer")](self.learning_rate(hp))
