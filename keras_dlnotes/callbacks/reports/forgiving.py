"""Logs that cannot be written end no training."""

import contextlib
import warnings


class Forgiving:
    """Attempts to write to one place; the first that fails warns, and is the last.

    Args:
        place: Where to, for the warning.
        errors: What counts as a failure to write.
    """

    def __init__(self, place, errors=OSError):
        self.place, self.errors, self.failed = place, errors, False

    @contextlib.contextmanager
    def attempt(self):
        try:
            yield
        except self.errors as error:
            self.failed = True
            warnings.warn(
                f"Writing to {self.place!r} failed, and the training goes on without: "
                f"{type(error).__name__}: {error}",
                RuntimeWarning,
                stacklevel=4,
            )
