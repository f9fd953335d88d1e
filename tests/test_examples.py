"""Every example runs as a user would run it, and leaves the picture it speaks of."""

import os
import pathlib
import re
import subprocess
import sys

import fire_programs
import forked
import pytest

ROOT = pathlib.Path(__file__).parent.parent
EXAMPLES = sorted((ROOT / "examples").glob("[0-9]*.py"))

pytestmark = pytest.mark.tensorflow


def ran(path, folder):
    """What a program printed."""
    codes = forked.finished([forked.start(fire_programs.script, str(path), str(folder))], 300)
    printed = (folder / "printed").read_text()
    assert codes == [0], printed[-6000:]
    return printed


def leaves_its_picture(printed, folder):
    assert len(printed.splitlines()) > 3
    pictures = list(folder.rglob("*.png"))
    assert pictures, "no picture"
    for picture in pictures:
        assert picture.stat().st_size > 5000


def test_the_first_example_in_a_process_that_begins_with_nothing(tmp_path):
    done = subprocess.run(
        [sys.executable, EXAMPLES[0]],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT), "MPLBACKEND": "agg"},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]
    leaves_its_picture(done.stdout, tmp_path)


@pytest.mark.parametrize("path", EXAMPLES[1:], ids=lambda path: path.stem)
def test_example_runs_and_leaves_its_picture(path, tmp_path):
    leaves_its_picture(ran(path, tmp_path), tmp_path)


def test_the_first_code_of_the_readme_runs_as_printed(tmp_path):
    text = (ROOT / "README.md").read_text()
    code = re.search(r"```python\n(.*?)```", text, re.DOTALL).group(1)
    lines = text[: text.index(code)].count("\n") + code.count("\n")
    assert lines <= 40, "the example ends within the first 40 lines"
    (tmp_path / "readme.py").write_text(code)
    assert "anishing gradients" in ran(tmp_path / "readme.py", tmp_path)
