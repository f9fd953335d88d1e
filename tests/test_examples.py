"""Every example runs as a user would run it, and leaves the picture it speaks of."""

import os
import pathlib
import re
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).parent.parent
EXAMPLES = sorted((ROOT / "examples").glob("[0-9]*.py"))

pytestmark = pytest.mark.tensorflow


def run(command, folder):
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "MPLBACKEND": "agg"}
    done = subprocess.run(
        [sys.executable, *map(str, command)],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]
    return done.stdout


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_example_runs_and_leaves_its_picture(path, tmp_path):
    printed = run([path], tmp_path)
    assert len(printed.splitlines()) > 3
    pictures = list(tmp_path.rglob("*.png"))
    assert pictures, "no picture"
    for picture in pictures:
        assert picture.stat().st_size > 5000


def test_the_first_code_of_the_readme_runs_as_printed(tmp_path):
    text = (ROOT / "README.md").read_text()
    code = re.search(r"```python\n(.*?)```", text, re.DOTALL).group(1)
    lines = text[: text.index(code)].count("\n") + code.count("\n")
    assert lines <= 40, "the example ends within the first 40 lines"
    (tmp_path / "readme.py").write_text(code)
    assert "anishing gradients" in run(["readme.py"], tmp_path)
