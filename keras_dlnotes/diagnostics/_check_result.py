"""What a gradient check found: one verdict a variable, and the report."""

import textwrap
from dataclasses import dataclass, field

import numpy as np

from keras_dlnotes._names import shortened
from keras_dlnotes.diagnostics._text import table


@dataclass
class VariableCheck:
    """What was found for one variable or input.

    ``error`` is the largest relative error, ``where`` its index, ``analytic`` and ``numeric`` the
    two derivatives there. ``analytic_values``, ``numeric_values`` and ``errors`` hold all that were
    compared, at ``indices`` (one row an entry). ``kinks`` counts entries that lie on a kink; they
    have no error (NaN). ``verdict`` is "right" or "wrong"; or "kinks" where all entries lie on
    one, "unused" where the loss does not depend on it, "too small" where rounding hides it.
    """

    name: str
    kind: str
    shape: tuple
    error: float = 0.0
    where: tuple = ()
    analytic: float = 0.0
    numeric: float = 0.0
    kinks: int = 0
    verdict: str = "right"
    indices: np.ndarray = field(default=None, repr=False)
    analytic_values: np.ndarray = field(default=None, repr=False)
    numeric_values: np.ndarray = field(default=None, repr=False)
    errors: np.ndarray = field(default=None, repr=False)


@dataclass
class GradientCheck:
    """Result of ``gradient_check``: true where every gradient is right.

    ``variables`` holds one ``VariableCheck`` each, weights first, then inputs; ``notes`` says what
    could not be checked and why.
    """

    name: str
    objective: str
    value: float
    step: float
    noise: float
    tolerance: float
    variables: list
    notes: list

    @property
    def ok(self):
        return not self.wrong

    @property
    def wrong(self):
        """The variables and inputs whose gradient is not right."""
        return [v for v in self.variables if v.verdict == "wrong"]

    @property
    def error(self):
        """The largest relative error of all."""
        return max((v.error for v in self.variables), default=0.0)

    def __bool__(self):
        return self.ok

    def __getitem__(self, name):
        """The check of the variable or input of this name."""
        for variable in self.variables:
            if variable.name == name:
                return variable
        raise KeyError(f"{name!r} is none of {[v.name for v in self.variables]}")

    def report(self):
        """A table of at most 100 columns, and the notes."""
        rows = [
            (
                shortened(v.name, 34),
                v.verdict,
                f"{len(v.indices)}/{int(np.prod(v.shape))}",
                f"{v.error:.1e}",
                ",".join(map(str, v.where)),
                f"{v.analytic:.4g}",
                f"{v.numeric:.4g}",
            )
            for v in self.variables
        ]
        header = ("variable", "verdict", "checked", "error", "at", "analytic", "difference")
        if self.wrong:
            names = ", ".join(shortened(v.name, 34) for v in self.wrong[:3])
            verdict = f"WRONG in {len(self.wrong)} of {len(self.variables)}: {names}"
        else:
            verdict = f"all right to {self.tolerance:g}"
        lines = [f"Gradient check of {self.name}: {verdict}", f"Objective: {self.objective}"]
        lines += [table(header, rows, left=2)] if rows else []
        lines += [textwrap.fill(f"Note: {note}", 100) for note in self.notes]
        return "\n".join(lines)

    __str__ = report

    def plot(self, ax=None):
        """Draws the error of every entry; see ``plots.gradient_check``."""
        from keras_dlnotes import plots

        return plots.gradient_check(self, ax=ax)
