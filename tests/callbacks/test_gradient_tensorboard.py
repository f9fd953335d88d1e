"""What GradientMonitor writes, read back by TensorBoard itself and seen on its page."""

import json
import os
import pathlib
import shutil
import socket
import subprocess
import sys
import time
import urllib.request

import keras
import numpy as np
import pytest

from keras_dlnotes.callbacks import GradientMonitor

pytestmark = pytest.mark.filterwarnings("ignore:.*:DeprecationWarning")


def trained(directory, epochs=3, **kwargs):
    keras.utils.set_random_seed(0)
    layers = [keras.layers.Dense(8, "sigmoid", name=f"hidden_{i}") for i in range(4)]
    model = keras.Sequential([keras.Input((5,)), *layers, keras.layers.Dense(1, name="out")])
    model.compile(keras.optimizers.SGD(0.1), "mse")
    x = np.random.default_rng(0).normal(size=(64, 5)).astype("float32")
    monitor = GradientMonitor(directory, on_problem=None, **kwargs)
    callbacks = [keras.callbacks.TensorBoard(directory, write_graph=False), monitor]
    model.fit(x, x[:, :1], batch_size=8, epochs=epochs, verbose=0, callbacks=callbacks)
    return monitor


def read(run):
    """``{tag: [(step, value)]}`` and ``{tag: plugin}``."""
    from tensorboard.backend.event_processing import event_accumulator
    from tensorboard.util import tensor_util

    events = event_accumulator.EventAccumulator(str(run), size_guidance={"tensors": 0})
    events.Reload()
    values, plugins = {}, {}
    for tag in events.Tags()["tensors"]:
        plugins[tag] = events.SummaryMetadata(tag).plugin_data.plugin_name
        values[tag] = [
            (event.step, tensor_util.make_ndarray(event.tensor_proto))
            for event in events.Tensors(tag)
        ]
    return values, plugins


@pytest.mark.tensorflow
def test_tags_steps_and_values(tmp_path):
    pytest.importorskip("matplotlib")
    monitor = trained(tmp_path, every=5, histograms=4)
    assert os.listdir(tmp_path) == ["train"]  # the same run as Keras' own callback
    values, plugins = read(tmp_path / "train")
    loss_steps = [step for step, _ in values["epoch_loss"]]
    assert loss_steps == [0, 1, 2]
    for layer in monitor.layer_norms():
        series = values[f"epoch_gradient_norm/{layer}"]
        assert [step for step, _ in series] == loss_steps
        np.testing.assert_allclose(
            [value for _, value in series], monitor.history["gradient_norm"][layer], rtol=1e-6
        )
        assert plugins[f"epoch_gradient_norm/{layer}"] == "scalars"
    batch = values["batch_update_ratio/out"]
    assert [step for step, _ in batch] == [5, 10, 15, 20]
    histogram = values["epoch_log10_gradient/sequential/out/kernel"][0][1]
    assert plugins["epoch_log10_gradient/sequential/out/kernel"] == "histograms"
    assert histogram.shape == (52, 3)
    assert histogram[:, 2].sum() == 8 * 2
    # The middle of the histogram lies where the gradients are.
    middle = np.average(histogram[:, :2].mean(1), weights=histogram[:, 2])
    rms = monitor.history["gradient_norm"]["sequential/out/kernel"][0] / np.sqrt(8)
    assert abs(middle - np.log10(rms)) < 1
    assert plugins["epoch_gradient_profile"] == "images"
    width, height, png = values["epoch_gradient_profile"][-1][1]
    assert (width, height) == (b"640", b"320")
    assert png.startswith(b"\x89PNG")
    assert [step for step, _ in values["epoch_gradient_profile"]][-1] == 2


@pytest.mark.tensorflow
def test_layout_draws_all_layers_in_one_chart(tmp_path):
    from tensorboard.plugins.custom_scalar import layout_pb2

    monitor = trained(tmp_path, epochs=1, image=False)
    values, plugins = read(tmp_path / "train")
    tag = "custom_scalars__config__"
    assert plugins[tag] == "custom_scalars"
    layout = layout_pb2.Layout.FromString(values[tag][0][1].item())
    chart = layout.category[0].chart[1]
    import re

    pattern = chart.multiline.tag[0]
    found = {tag.partition("/")[2] for tag in values if re.fullmatch(pattern, tag)}
    assert found == {*monitor.layer_norms(), "global"}


def test_nothing_is_written_without_a_directory(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    trained_nothing = GradientMonitor()
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    model.fit(np.ones((4, 2)), np.ones((4, 1)), verbose=0, callbacks=[trained_nothing])
    assert os.listdir(tmp_path) == []


# --------------------------------------------------------------------------- the real page

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
DRIVER = shutil.which("chromedriver")


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def ask(url, body=None, timeout=30):
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"Content-Type": "application/json"})
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(request, timeout=timeout) as answer:
        return json.loads(answer.read() or b"null")


def wait_for(what, seconds=60):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            found = what()
        except OSError:
            found = None
        if found:
            return found
        time.sleep(0.3)
    raise TimeoutError(f"waited {seconds} s for {what}")


@pytest.fixture
def started():
    """Starts programs, and ends them with the test."""
    running = []

    def start(*command):
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        running.append(subprocess.Popen(command, **quiet))
        return running[-1]

    yield start
    for process in reversed(running):
        process.terminate()
        process.wait(20)


#: Everything on the page, also inside the shadow trees of its web components.
WHOLE_PAGE = """
const found = {text: '', lines: 0};
(function walk(node) {
  if (node.nodeType === 3) found.text += node.data + ' ';
  if (node.tagName && node.tagName.toLowerCase() === 'path') {
    const d = node.getAttribute('d') || '';
    if (d.length > 20 && d.includes('L')) found.lines += 1;
  }
  if (node.shadowRoot) walk(node.shadowRoot);
  for (const child of node.childNodes) walk(child);
})(document.documentElement);
return found;
"""


@pytest.mark.tensorflow
@pytest.mark.skipif(not (CHROMIUM and DRIVER), reason="needs chromium and chromedriver")
def test_tensorboard_page_shows_the_gradients(tmp_path, started):
    import base64

    trained(tmp_path / "logs", epochs=4)
    board, driver = (f"http://127.0.0.1:{free_port()}" for _ in range(2))
    port = board.rpartition(":")[2]
    started(
        *(sys.executable, "-m", "tensorboard.main", "--logdir", str(tmp_path / "logs")),
        *("--host", "127.0.0.1", "--port", port, "--load_fast", "false"),
    )
    started(DRIVER, f"--port={driver.rpartition(':')[2]}")
    tags = wait_for(lambda: ask(f"{board}/data/plugin/scalars/tags").get("train"))
    assert "epoch_gradient_norm/hidden_0" in tags
    wait_for(lambda: ask(f"{driver}/status")["value"]["ready"])
    arguments = [
        *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
        *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
        *("--no-proxy-server", "--window-size=1400,1000", f"--user-data-dir={tmp_path / 'user'}"),
    ]
    options = {"binary": CHROMIUM, "args": arguments}
    wishes = {"capabilities": {"alwaysMatch": {"goog:chromeOptions": options}}}
    session = ask(f"{driver}/session", wishes, 60)["value"]["sessionId"]
    page = f"{driver}/session/{session}"
    try:
        ask(f"{page}/url", {"url": f"{board}/#custom_scalars"}, 60)

        def drawn():
            seen = ask(f"{page}/execute/sync", {"script": WHOLE_PAGE, "args": []})["value"]
            return seen if seen["lines"] >= 5 and "Gradient norm" in seen["text"] else None

        seen = wait_for(drawn, 90)
        assert "Gradient norm of each layer" in seen["text"]
        time.sleep(1)
        keep(base64.b64decode(ask(f"{page}/screenshot")["value"]), "tensorboard_custom_scalars")
        ask(f"{page}/url", {"url": f"{board}/#scalars&tagFilter=epoch_gradient_norm"}, 60)

        def tag_cards():
            seen = ask(f"{page}/execute/sync", {"script": WHOLE_PAGE, "args": []})["value"]
            return seen if "epoch_gradient_norm" in seen["text"] else None

        wait_for(tag_cards, 60)
        time.sleep(2)
        keep(base64.b64decode(ask(f"{page}/screenshot")["value"]), "tensorboard_scalars")
    finally:
        request = urllib.request.Request(page, method="DELETE")
        urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=30)


def keep(png, name):
    """A picture for whoever runs the tests; the folder is not part of the repository."""
    folder = pathlib.Path(__file__).parents[2] / "artifacts"
    folder.mkdir(exist_ok=True)
    (folder / f"{name}.png").write_bytes(png)
