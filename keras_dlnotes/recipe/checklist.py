"""The checklist a recipe leaves behind: what was done, why, and what was seen."""

import dataclasses
import textwrap


@dataclasses.dataclass
class Step:
    """One step of the recipe.

    Attributes:
        number: Its place, from 1.
        title: What the step is about.
        chosen: What was chosen.
        why: What the choice rests on.
        seen: What training showed, or an empty string.
    """

    number: int
    title: str
    chosen: str
    why: str
    seen: str = ""


class Checklist(list):
    """Steps in order; printing it gives a page that fits 100 columns.

    Example:
        >>> steps = Checklist()
        >>> steps.add("Activation", "relu", "does not saturate")
        >>> steps.saw("no dead units")
        >>> print(steps)
         1. Activation: relu
            why:  does not saturate
            seen: no dead units
    """

    def add(self, title, chosen, why):
        self.append(Step(len(self) + 1, title, chosen, why))

    def saw(self, text, number=None):
        """Notes what was seen, for the last step or the one with this number."""
        step = self[-1 if number is None else number - 1]
        step.seen = f"{step.seen}; {text}" if step.seen else text

    def __str__(self):
        lines = []
        for step in self:
            lines += textwrap.wrap(
                f"{step.number:2d}. {step.title}: {step.chosen}", 100, subsequent_indent=" " * 4
            )
            for label, text in (("why: ", step.why), ("seen:", step.seen)):
                if text:
                    lines += textwrap.wrap(
                        f"    {label} {text}", 100, subsequent_indent=" " * 10, drop_whitespace=True
                    )
        return "\n".join(lines)
