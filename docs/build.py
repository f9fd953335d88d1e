"""Builds the reference pages from the docstrings, a page for each room, and checks their links.

Every link within the pages must lead to a page and an anchor that exist, every name written as
`room.name` in a docstring to something public, every relative link of README.md and CHANGELOG.md to
a file or a heading. Of addresses elsewhere only the form is looked at: nothing is fetched.

    python docs/build.py [folder]        # "site" unless named; open index.html in it
"""

import argparse
import functools
import html.parser
import importlib
import inspect
import os
import pathlib
import re
import sys
import urllib.parse

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
HERE = pathlib.Path(__file__).parent
ROOT = HERE.parent
sys.path.insert(0, str(ROOT))

import keras_dlnotes  # noqa: E402

ROOMS = [name for name in keras_dlnotes.__all__ if not name.startswith("_")]
#: Modules beneath a room that have a page too, since the pages of the room point to them.
BENEATH = ["optimizers.base"]
#: Sections of a docstring whose indented lines are a list of names, each with a description.
LISTS = ("Args", "Call arguments", "Attributes", "Raises")
SECTION = re.compile(r"^([A-Z][A-Za-z ]+):\n((?:[ \t]+.*(?:\n|$)|\n)+)", re.MULTILINE)


def markdown(docstring, page=""):
    """A docstring of this package as Markdown."""
    text = SECTION.sub(_section, inspect.cleandoc(docstring))
    text = re.sub(r"^References?: ", "**Reference:** ", text, flags=re.MULTILINE)
    # `layers.Dropout` in a docstring means the room of that name, on whichever page it stands.
    rooms = "|".join(ROOMS)
    text = re.sub(rf"(?<=`)({rooms})\.(?=\w)", rf"{keras_dlnotes.__name__}.\1.", text)
    unknown = [
        name
        for name in re.findall(r"`(keras_dlnotes\.[\w.]+)`", text)
        if not name.endswith("_") and not exists(name)
    ]
    if unknown:
        raise ValueError(f"{page}: nothing is called {', '.join(unknown)}")
    return text


def _section(match):
    name, body = match[1], inspect.cleandoc(match[2])
    if name == "Example":
        return f"\n**Example**\n\n```pycon\n{body}\n```\n\n"
    if name in LISTS:
        return f"\n**{name}**\n\n{_listed(body)}\n\n"
    if name == "Returns":
        return f"\n**Returns**\n\n{body}\n\n"
    return match[0]


def _listed(body):
    """Names with their descriptions as a list; the names of one entry may take several lines."""
    items = []
    for line in body.splitlines():
        names_go_on = items and ":" not in items[-1]
        if line.startswith(" ") or not line or names_go_on:
            items[-1] += f" {line}" if names_go_on else f"\n{line}"
        else:
            items.append(line)
    return "\n".join(re.sub(r"^([^:\n]*):", _bold, item, count=1) for item in items)


def _bold(match):
    name = match[1].replace("*", r"\*")
    return f"- **{name}**:"


def exists(name):
    """Whether a dotted name leads to something that has a place on these pages."""
    room, *rest = name.split(".")[1:]
    if rest and rest[0] not in getattr(keras_dlnotes, room).__all__:
        return any(name.startswith(f"{keras_dlnotes.__name__}.{page}.") for page in BENEATH)
    found = keras_dlnotes
    for part in name.split(".")[1:]:
        if not hasattr(found, part):
            # A field of a dataclass without a default is no attribute of the class.
            return part in getattr(found, "__annotations__", {}) or _is_set(found, part)
        found = getattr(found, part)
    return True


def _is_set(found, part):
    return inspect.isclass(found) and f"self.{part} " in inspect.getsource(found)


def shown(doc):
    """Whether a member gets an entry: constructors, and what is documented here."""
    rooms = (f"{keras_dlnotes.__name__}.{room}" for room in ROOMS)
    if doc.kind == "module" or doc.name == "__init__" or doc.fullname.rpartition(".")[0] in rooms:
        return True  # A room's names are those of its `__all__`.
    if doc.name.startswith("_") or not doc.taken_from[0].startswith(keras_dlnotes.__name__):
        return False
    if doc.kind == "variable":
        # Bare fields stand in the constructor; of the rest only properties are documented.
        owner = importlib.import_module(doc.modulename)
        *classes, name = doc.qualname.split(".")
        for part in classes:
            owner = getattr(owner, part)
        here = inspect.getattr_static(owner, name, None)
        if isinstance(here, functools.cached_property):
            return bool(here.func.__doc__)
        return isinstance(here, property) and bool(here.fget.__doc__)
    # Keras' own words on a method that is only overridden here say nothing new.
    return bool(getattr(doc.obj, "__doc__", None))


def build(folder):
    """Writes the pages; returns what is wrong with their links, a line each."""
    import pdoc.doc
    import pdoc.render

    folder = pathlib.Path(folder)
    names = [
        keras_dlnotes.__name__,
        *(f"{keras_dlnotes.__name__}.{page}" for page in ROOMS + BENEATH),
    ]
    for name in names:
        importlib.import_module(name)
    modules = {name: pdoc.doc.Module.from_name(name) for name in names}
    pdoc.render.configure(
        docformat="markdown",
        footer_text=f"keras_dlnotes {keras_dlnotes.__version__}",
        template_directory=HERE / "templates",
    )
    pdoc.render.env.filters["sections"] = markdown
    pdoc.render.env.globals["shown"] = shown
    for name, module in modules.items():
        page = folder / f"{name.replace('.', '/')}.html"
        page.parent.mkdir(parents=True, exist_ok=True)
        page.write_text(pdoc.render.html_module(module, modules))
    (folder / "index.html").write_text(pdoc.render.html_index(modules))
    (folder / "search.js").write_text(pdoc.render.search_index(modules))
    return [*broken_links(folder), *broken_markdown_links()]


class Page(html.parser.HTMLParser):
    """The anchors of a page and where its links lead."""

    def __init__(self, text):
        super().__init__()
        self.anchors, self.links = set(), []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        self.anchors |= {attributes[key] for key in ("id", "name") if attributes.get(key)}
        self.links += [attributes[key] for key in ("href", "src") if attributes.get(key)]


def broken_links(folder):
    """What is wrong with the links of the pages below a folder, a line each."""
    pages = {path.resolve(): Page(path.read_text()) for path in folder.rglob("*.html")}
    for path, page in pages.items():
        for link in page.links:
            file, _, anchor = link.partition("#")
            if re.match(r"\w+:", link):
                if not well_formed(link):
                    yield f"{path.name}: {link} is no address"
                continue
            target = (path.parent / urllib.parse.unquote(file)).resolve() if file else path
            if not target.exists():
                yield f"{path.name}: {link} leads to no file"
            elif anchor and anchor not in pages[target].anchors:
                yield f"{path.name}: {link} leads to no anchor"


def broken_markdown_links(root=ROOT):
    """The same for README.md and CHANGELOG.md."""
    for name in ("README.md", "CHANGELOG.md"):
        text = re.sub(r"```.*?```", "", (root / name).read_text(), flags=re.DOTALL)
        headings = [line.lstrip("# ") for line in text.splitlines() if line.startswith("#")]
        anchors = {re.sub(r"[^\w\- ]", "", h).strip().lower().replace(" ", "-") for h in headings}
        for link in re.findall(r"\]\(([^)\s]+)\)", text):
            file, _, anchor = link.partition("#")
            if re.match(r"\w+:", link):
                if not well_formed(link):
                    yield f"{name}: {link} is no address"
            elif file and not (root / file).exists():
                yield f"{name}: {link} leads to no file"
            elif not file and anchor not in anchors:
                yield f"{name}: {link} leads to no heading"


def well_formed(link):
    parts = urllib.parse.urlsplit(link)
    if parts.scheme == "data":
        return True
    return parts.scheme == "https" and "." in parts.netloc and not re.search(r"[\s<>\"]", link)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", nargs="?", default="site", type=pathlib.Path)
    folder = parser.parse_args().folder
    wrong = build(folder)
    print("\n".join(wrong) or f"Every link leads somewhere. Open {folder / 'index.html'}")
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
