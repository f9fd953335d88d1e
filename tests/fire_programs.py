"""A program run as a user would, in a process that has its imports behind it already."""

import gc
import importlib
import os
import runpy
import sys

from short_fits import shorten_fits

# What they import, so that a process parted from this one need not.
for name in (
    "keras",
    "keras_dlnotes",
    "keras_tuner",
    "matplotlib.pyplot",
    "sklearn.datasets",
    "sklearn.ensemble",
    "sklearn.linear_model",
):
    importlib.import_module(name)


def script(path, folder, *arguments, printed="printed"):
    """`python path arguments` in `folder`; all that is printed goes to a file there."""
    _run(runpy.run_path, path, folder, arguments, printed)


def module(name, folder, *arguments, printed="printed"):
    """`python -m name arguments`, likewise."""
    _run(runpy.run_module, name, folder, arguments, printed)


def _run(run, what, folder, arguments, printed):
    gc.freeze()
    shorten_fits()
    os.chdir(folder)
    printed = os.open(printed, os.O_WRONLY | os.O_CREAT)
    os.dup2(printed, 1)
    os.dup2(printed, 2)
    sys.argv = [what, *arguments]
    try:
        run(what, run_name="__main__")
    finally:
        sys.stdout.flush()
