"""Files written whole or not at all."""

import contextlib
import os
import pathlib


def possible(path):
    """The path of a file that can be written, or an error that says why it cannot."""
    path = pathlib.Path(path)
    if not path.parent.is_dir():
        raise FileNotFoundError(f"There is no directory {str(path.parent)!r} for {path.name!r}")
    if path.is_dir():
        raise IsADirectoryError(f"{str(path)!r} is a directory, not a file")
    if not os.access(path.parent, os.W_OK):
        raise PermissionError(f"Nothing can be written in {str(path.parent)!r}")
    return path


@contextlib.contextmanager
def replacing(path, mode="wb", **how):
    """Opens a new file that takes the place of ``path`` only when everything is written.

    An exception, or a power cut, in between leaves the old file as it was.
    """
    path = possible(path)
    draft = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with open(draft, mode, **how) as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(draft, path)
    finally:
        draft.unlink(missing_ok=True)
