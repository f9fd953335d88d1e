"""Files written whole or not at all."""

import contextlib
import os
import pathlib


@contextlib.contextmanager
def replacing(path, mode="wb", **how):
    """Opens a new file that takes the place of ``path`` only when everything is written.

    An exception, or a power cut, in between leaves the old file as it was.
    """
    path = pathlib.Path(path)
    if not path.parent.is_dir():
        raise FileNotFoundError(f"There is no directory {str(path.parent)!r} for {path.name!r}")
    draft = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with open(draft, mode, **how) as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(draft, path)
    finally:
        draft.unlink(missing_ok=True)
