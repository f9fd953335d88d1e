"""Every example runs as a user would run it, and leaves the picture it speaks of."""

import pathlib
import re

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


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_example_runs_and_leaves_its_picture(path, tmp_path):
    assert len(ran(path, tmp_path).splitlines()) > 3
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
    assert "anishing gradients" in ran(tmp_path / "readme.py", tmp_path)
