"""Damaged files by the thousand, and a watch over what reading them does to the machine."""

import contextlib
import sys
import time
import tracemalloc

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

#: Pieces that mean something to some reader: sizes, ends, paths, other formats, no numbers.
TOKENS = [
    b"1000000000000 300\n", b"999999999999999999999", b"-1", b"0 0\n", b"2 0\n", b"nan", b"inf",
    b"1e999", b"\n", b"\r\n", b" ", b"\t\t", b"\0", b"\xff\xfe", b"\xed\xa0\x80", b"/etc/passwd",
    b"../../x", b"PK\3\4", b"\x1f\x8b", b"BZh", b"\xfd7zXZ\0", b"\x93NUMPY", b"\x7f" * 8,
    b"\xff" * 8, b"\0" * 8, b"cos\nsystem\n(S'true'\ntR.", b"'|O'", b"{}", b"null", b'"', b"[",
]  # fmt: skip

EDIT = st.tuples(st.sampled_from("dricts"), st.integers(0, 1 << 20), st.binary(max_size=9)) | (
    st.tuples(st.just("i"), st.integers(0, 1 << 20), st.sampled_from(TOKENS))
)


def damaged(seeds):
    """One of the files, changed in up to five places; or bytes of no origin."""
    edits = st.lists(EDIT, min_size=1, max_size=5)
    changed = st.builds(edited, st.sampled_from(seeds), edits)
    return changed | st.binary(max_size=200)


def edited(data, edits):
    for kind, number, piece in edits:
        at = number % (len(data) + 1)
        if kind == "d":
            data = data[:at] + data[at + 1 + len(piece) :]
        elif kind == "i":
            data = data[:at] + piece + data[at:]
        elif kind == "r":
            data = data[:at] + piece + data[at + len(piece) :]
        elif kind == "c":
            data = data[:at]
        elif kind == "t":
            data = data + piece
        elif data and at < len(data):  # one bit
            data = data[:at] + bytes([data[at] ^ (1 << len(piece) % 8)]) + data[at + 1 :]
    return data


#: What the long forms try, of each kind: so many cases, and for so many seconds.
LONG = {"count": 10_000, "seconds": 60}
#: Hypothesis keeps what it has tried, so many cases are tried in rounds.
ROUND = 2_000


def try_out(case, *drawn, count, seconds=0):
    """Tries at least `count` draws, and then new ones until the `seconds` are over."""
    tried, end = 0, time.monotonic() + seconds

    def counted(values):
        nonlocal tried
        tried += 1
        case(*values)

    while tried < count or time.monotonic() < end:
        before = tried
        rules = settings(
            max_examples=min(count, ROUND),
            deadline=None,
            database=None,
            suppress_health_check=list(HealthCheck),
        )
        rules(given(st.tuples(*drawn))(counted))()
        assert tried > before
    print(f"{tried} cases tried")


class Watch:
    """What happens inside: files opened, things run, memory taken. One serves the process."""

    #: What reading a file of numbers has no reason to do.
    FORBIDDEN = (
        "pickle.find_class", "marshal.loads", "subprocess.Popen", "os.system", "os.exec",
        "os.remove", "os.rename", "os.mkdir", "socket.connect", "shutil.rmtree", "exec",
    )  # fmt: skip

    def __init__(self):
        self.active, self.seen = False, []
        sys.addaudithook(self.hook)

    def hook(self, event, arguments):
        if not self.active:
            return
        if event == "open" and isinstance(arguments[0], (str, bytes)):
            self.seen.append(("open", arguments[0]))
        elif event in self.FORBIDDEN:
            self.seen.append((event, arguments[:1]))

    @contextlib.contextmanager
    def over(self, path, factor=4, spare=8 << 20):
        """Only `path` is opened, and memory stays within `factor` of its size.

        `spare` is what reading takes for a file of any size: blocks, and modules loaded late.
        """
        self.seen.clear()
        started = not tracemalloc.is_tracing()
        if started:
            tracemalloc.start(1)
        tracemalloc.reset_peak()
        before = tracemalloc.get_traced_memory()[0]
        self.active = True
        try:
            yield
        finally:
            self.active = False
            peak = tracemalloc.get_traced_memory()[1] - before
            if started:
                tracemalloc.stop()
        others = [what for what in self.seen if what != ("open", str(path))]
        assert not others, others
        assert peak <= factor * path.stat().st_size + spare, (peak, path.stat().st_size)


WATCH = Watch()
