"""The rules of the house: who may import whom, what an import costs, how a wheel behaves."""

import ast
import pathlib
import subprocess
import sys

import pytest

PACKAGE = pathlib.Path(__file__).parent.parent / "keras_dlnotes"

#: The floors of the house; a file imports from its own floor's rules or from below.
FLOORS = [
    {"_checks", "_curves", "_fitting", "_names", "_replicas", "_saving", "_state", "_version"}
    | {"_wrapped_optimizers", "_xla"},
    {"_believed"},
    {"activations", "distribute", "initializers", "losses", "regularizers", "schedules", "plots"},
    {"layers", "optimizers"},
    {"callbacks", "diagnostics"},
    {"models", "word2vec"},
    {"tuning"},
    {"recipe"},
]
FLOOR = {room: level for level, rooms in enumerate(FLOORS) for room in rooms}
#: These three meet only in the user's hands.
STRANGERS = {"optimizers", "callbacks", "schedules"}
#: Plain NumPy: usable, and testable, without any deep-learning framework.
PLAIN = {"word2vec/vocabulary.py", "word2vec/huffman.py", "word2vec/noise.py"}

FILES = sorted(path.relative_to(PACKAGE) for path in PACKAGE.rglob("*.py"))


def imported(path):
    """Full names of all modules that a file imports, at any depth of its code."""
    for node in ast.walk(ast.parse((PACKAGE / path).read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports are written in full"
            for alias in node.names:
                name = f"{node.module}.{alias.name}"
                target = PACKAGE.parent / name.replace(".", "/")
                is_module = target.is_dir() or target.with_suffix(".py").exists()
                yield name if is_module else node.module


@pytest.mark.parametrize("path", FILES, ids=str)
def test_imports_run_one_way(path):
    if str(path) == "__init__.py":
        return
    room = path.parts[0].removesuffix(".py")
    for name in imported(path):
        if not name.startswith("keras_dlnotes."):
            assert not (name.split(".")[0] in {"keras", "tensorflow"} and str(path) in PLAIN), name
            continue
        other = name.split(".")[1]
        assert other in FLOOR, f"{other} has no floor: add it to the list above"
        if other == room:
            inside = PACKAGE.joinpath(*name.split(".")[1:])
            entrance = inside.is_dir() or len(name.split(".")) == 2
            assert path.name in ("__init__.py", "__main__.py") or not entrance, (
                f"{path} imports its own room's entrance; import the sibling's file"
            )
            continue
        assert FLOOR[other] <= FLOOR[room], f"{path} imports {name}, which lives above it"
        assert not {room, other} <= STRANGERS, f"{path} imports {name}; these never meet"


def test_import_is_light():
    code = (
        "import sys, keras; before = set(sys.modules); import keras_dlnotes\n"
        "heavy = {'keras_tuner', 'matplotlib', 'tensorboard', 'scipy', 'sklearn', 'gensim'}\n"
        "print(sorted({name.split('.')[0] for name in set(sys.modules) - before} & heavy))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=PACKAGE.parent, check=True
    )
    assert done.stdout.strip() == "[]"
