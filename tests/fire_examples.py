"""An example run as a program, in a process that has its imports behind it already."""

import gc
import os
import runpy
import sys

# What the examples import, so that a process parted from this one need not.
import keras  # noqa: F401
import keras_tuner  # noqa: F401
import matplotlib.pyplot  # noqa: F401
import sklearn.datasets
import sklearn.ensemble
import sklearn.linear_model  # noqa: F401

import keras_dlnotes  # noqa: F401


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
