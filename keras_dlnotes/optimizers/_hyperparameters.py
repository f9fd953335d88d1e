"""Hyper-parameters that live in variables: a float or a schedule, settable without retracing."""

import functools

import keras
from keras import ops

from keras_dlnotes import _checks

Schedule = keras.optimizers.schedules.LearningRateSchedule


class Hyperparameter:
    """A number of an optimizer that a callback may set, or a schedule may drive, during training.

    Stands in the class body; the attribute then reads and sets like a plain number.

        class Momentum(Optimizer):
            momentum = Hyperparameter("[0, 1]")

    A float is kept in a variable from ``build`` on, so a compiled training step reads its present
    value. The variable holds the number and its complement, ``(p, 1 - p)``: both are rounded once,
    whereas ``1 - 0.999`` taken from the float32 number would be wrong in its fifth digit.
    """

    def __init__(self, interval, optional=False, frozen_at=None):
        self.interval = interval
        self.optional = optional  # None leaves the number, and its place in the step, out.
        self.frozen_at = frozen_at  # So does this value.

    def __set_name__(self, owner, name):
        self.name = name

    def cell(self, optimizer):
        """What the optimizer stores for this number: its value and, once built, its variable."""
        cells = optimizer.__dict__.setdefault("_hyperparameters", {})
        return cells.setdefault(self.name, {"value": None, "variable": None})

    def __get__(self, optimizer, owner=None):
        if optimizer is None:
            return self
        cell = self.cell(optimizer)
        value, variable = cell["value"], cell["variable"]
        try:
            if isinstance(value, Schedule):
                return float(ops.convert_to_numpy(value(optimizer._iterations)))
            if variable is None:
                return value
            held = ops.convert_to_numpy(variable)
        except (NotImplementedError, TypeError):  # Inside a traced function: symbols, no numbers.
            return self.pair(optimizer, "float32")[0]
        # The float as it was given, for as long as the variable still holds its rounding.
        return value if held[0] == held.dtype.type(value) else float(held[0])

    def __set__(self, optimizer, value):
        cell = self.cell(optimizer)
        if value is None and self.optional and cell["variable"] is None:
            cell["value"] = None
        elif isinstance(value, Schedule):
            cell["value"] = value
        elif isinstance(cell["value"], Schedule) and getattr(optimizer, "built", False):
            raise TypeError(
                f"`{self.name}` follows a schedule, which a compiled training step cannot leave. "
                f"Create the optimizer with a float to set `{self.name}` during training."
            )
        elif cell["variable"] is None:
            if getattr(optimizer, "built", False) and value != cell["value"]:
                raise TypeError(
                    f"`{self.name}` was left out when the optimizer was built, so its training "
                    f"step has no place for it. Received: {self.name}={value!r}. Create the "
                    "optimizer with another value to set it during training."
                )
            cell["value"] = _checks.number(self.name, value, self.interval)
        elif ops.is_tensor(value) or isinstance(value, keras.Variable):
            value = ops.cast(ops.convert_to_tensor(value), "float32")
            cell["variable"].assign(ops.stack([value, 1.0 - value]))
        else:
            cell["value"] = _checks.number(self.name, value, self.interval)
            cell["variable"].assign([cell["value"], 1.0 - cell["value"]])

    def build(self, optimizer):
        """Creates the variable of a plain number."""
        cell = self.cell(optimizer)
        value = cell["value"]
        if not self.given(optimizer) or isinstance(value, Schedule):
            return

        def initializer(shape, dtype=None):
            return ops.convert_to_tensor([value, 1.0 - value], dtype)

        cell["variable"] = optimizer.add_variable(
            shape=(2,),
            initializer=initializer,
            dtype="float32",
            aggregation="only_first_replica",
            name=self.name,
        )

    def pair(self, optimizer, dtype):
        """The number and its complement now, as tensors; None for an optional one left out."""
        cell = self.cell(optimizer)
        if isinstance(cell["value"], Schedule):
            value = ops.cast(cell["value"](optimizer._iterations), dtype)
            return value, 1 - value
        if cell["variable"] is None:
            return None
        both = ops.cast(ops.convert_to_tensor(cell["variable"]), dtype)
        return both[0], both[1]

    def config(self, optimizer):
        """What belongs into the config: the present float, or the schedule."""
        value = self.cell(optimizer)["value"]
        if isinstance(value, Schedule):
            return keras.saving.serialize_keras_object(value)
        return self.__get__(optimizer)

    def given(self, optimizer):
        """Whether there is a number or a schedule at all."""
        value = self.cell(optimizer)["value"]
        return value is not None and (self.frozen_at is None or value != self.frozen_at)


@functools.cache
def hyperparameters(cls):
    """All hyper-parameters of an optimizer's class, by name, in a fixed order."""
    names = sorted({name for base in cls.__mro__ for name in vars(base)})
    found = {name: getattr(cls, name, None) for name in names}
    return {name: part for name, part in found.items() if isinstance(part, Hyperparameter)}
