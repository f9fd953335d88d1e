"""An example run as a program, in a process that has its imports behind it already."""

import gc
import importlib
import os
import runpy
import sys

# What the examples import, so that a process parted from this one need not.
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


def program(path, folder):
    """`python path` in `folder`; all that is printed goes to a file there."""
    gc.freeze()
    os.chdir(folder)
    printed = os.open("printed", os.O_WRONLY | os.O_CREAT)
    os.dup2(printed, 1)
    os.dup2(printed, 2)
    sys.argv = [path]
    try:
        runpy.run_path(path, run_name="__main__")
    finally:
        sys.stdout.flush()
