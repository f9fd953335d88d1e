"""Where encoded texts are kept, and when they are still good."""

import hashlib
import json
import os
import pathlib
import shutil
import tempfile
import weakref


class Scratch:
    """A directory that goes when the last corpus which maps a file in it is gone."""

    def __init__(self):
        self.path = tempfile.mkdtemp(prefix="corpus-")
        weakref.finalize(self, shutil.rmtree, self.path, ignore_errors=True)


def fingerprint(path):
    """Size, time, and a hash of both ends of a file."""
    status = os.stat(path)
    with open(path, "rb") as file:
        ends = file.read(1 << 16)
        file.seek(max(0, status.st_size - (1 << 16)))
        ends += file.read(1 << 16)
    return [status.st_size, status.st_mtime_ns, hashlib.sha256(ends).hexdigest()]


def digest(thing):
    return hashlib.sha256(json.dumps(thing, sort_keys=True).encode()).hexdigest()


def arguments(rules):
    """The rules as JSON holds them, or `None` where one is a function."""
    if any(map(callable, rules.values())):
        return None
    rules = {name: rules[name] for name in sorted(rules)}
    for name in ("keep", "drop"):
        if name in rules:
            rules[name] = sorted(rules[name])
    if "specials" in rules:
        rules["specials"] = list(rules["specials"])
    return rules


def place(files, source, cache, made):
    """The file for an encoded text, named after the text and the arguments."""
    single = isinstance(source, (str, os.PathLike))
    beside = pathlib.Path(source) if single else files[0]
    made = {name: value for name, value in made.items() if name != "files"}
    if cache is not True:
        folder = pathlib.Path(cache)
        folder.mkdir(parents=True, exist_ok=True)
        # In one directory, texts of one name from several places must not push each other out.
        made["place"] = str(beside.absolute())
    else:
        folder = beside.absolute().parent
        if not os.access(folder, os.W_OK):
            home = pathlib.Path(os.environ.get("KERAS_HOME", pathlib.Path.home() / ".keras"))
            return place(files, source, home / "keras_dlnotes", made)
    return folder / f"{beside.name}.{digest(made)[:12]}.corpus"
