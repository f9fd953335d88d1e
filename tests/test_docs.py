"""The reference pages are built from the docstrings, and a link that leads nowhere is found."""

import importlib.util
import pathlib

import pytest

pytest.importorskip("pdoc", reason='pages are built with pip install "keras-dlnotes[docs]"')
pytestmark = pytest.mark.tensorflow

BUILD = pathlib.Path(__file__).parent.parent / "docs" / "build.py"
spec = importlib.util.spec_from_file_location("docs_build", BUILD)
docs = importlib.util.module_from_spec(spec)
spec.loader.exec_module(docs)


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    folder = tmp_path_factory.mktemp("site")
    assert docs.build(folder) == []
    return folder


def test_every_public_name_has_its_place(site):
    for room in docs.ROOMS:
        page = docs.Page((site / "keras_dlnotes" / f"{room}.html").read_text())
        missing = set(getattr(docs.keras_dlnotes, room).__all__) - page.anchors
        assert not missing, f"{room}: {missing}"
        assert (
            f"keras_dlnotes/{room}.html"
            in docs.Page((site / "keras_dlnotes.html").read_text()).links
        )
    assert "keras_dlnotes.html" in (site / "index.html").read_text()


def test_sections_become_lists_and_code():
    text = docs.markdown(
        """One line.

        Args:
            rate: Float. How
                much.
            first, second,
            third: One sentence.
            **others: The rest.

        Example:
            >>> 1 + 1
            2

        Reference: [A, 2020](https://a.org)
        """
    )
    assert "**Args**\n\n- **rate**: Float. How\n    much.\n- **first, second, third**: One" in text
    assert r"- **\*\*others**: The rest." in text
    assert "```pycon\n>>> 1 + 1\n2\n```" in text
    assert "**Reference:** [A, 2020]" in text


def test_names_of_other_rooms_are_written_in_full_and_checked():
    assert docs.markdown("See `layers.Dropout`.") == "See `keras_dlnotes.layers.Dropout`."
    with pytest.raises(ValueError, match=r"page: nothing is called keras_dlnotes\.layers\.Nope"):
        docs.markdown("See `layers.Nope`.", "page")


@pytest.mark.parametrize(
    ("link", "complaint"),
    [
        ("other.html", "leads to no file"),
        ("#nowhere", "leads to no anchor"),
        ("sub/page.html#nowhere", "leads to no anchor"),
        ("http://a.org", "is no address"),
        ("https://nodots", "is no address"),
        ("https://a.org/x y", "is no address"),
        ("#here", None),
        ("sub/page.html#there", None),
        ("https://a.org/x#y", None),
    ],
)
def test_a_link_that_leads_nowhere_is_found(tmp_path, link, complaint):
    (tmp_path / "sub").mkdir()
    (tmp_path / "index.html").write_text(f'<p id="here"><a href="{link}">x</a></p>')
    (tmp_path / "sub" / "page.html").write_text('<p id="there"><a href="../index.html">x</a></p>')
    found = list(docs.broken_links(tmp_path))
    assert found == ([] if complaint is None else [f"index.html: {link} {complaint}"])


def test_links_of_the_readme(tmp_path):
    (tmp_path / "CHANGELOG.md").write_text("")
    (tmp_path / "README.md").write_text("# The rooms\n[a](#the-rooms) [b](#rooms) [c](gone.png)")
    assert list(docs.broken_markdown_links(tmp_path)) == [
        "README.md: #rooms leads to no heading",
        "README.md: gone.png leads to no file",
    ]
