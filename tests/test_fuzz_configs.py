"""Configs and `.keras` files of ours with a field changed: an error in words, or a whole object.

`python -m pytest -m long tests/test_fuzz_configs.py` tries 10 000 of each, and goes on
for a minute each.
"""

import contextlib
import copy
import functools
import io
import json
import operator
import pathlib
import resource
import zipfile

import keras
import pytest
from fuzzing import LONG, WATCH, try_out
from hypothesis import strategies as st
from samples import Layer
from test_contracts import CONFIGURED, layer_model, of

from keras_dlnotes import losses, models, optimizers, word2vec
from keras_dlnotes._believed import Sized

#: A size that a machine may have memory for, and a small file of ours has not.
LARGE = 10**8
#: What a field may be changed to.
VALUES = st.sampled_from(
    [None, True, False, 0, -1, 1, 2, 7, LARGE, 10**12, [LARGE], [None, LARGE],
     0.5, -0.5, 1.5, float("nan"), float("inf"), 1e-30,
     "", "relu", "/etc/passwd", "__import__('os')", "sgd", [], [1], [[1, 2], 3], {}, {"a": 1},
     {"class_name": "Lambda", "config": {"function": "x"}},
     {"class_name": "__lambda__", "config": {"value": "4wEAAAA="}},
     {"module": "os", "class_name": "system", "config": {}, "registered_name": "system"},
     {"module": "builtins", "class_name": "eval", "config": {"source": "1"},
      "registered_name": None}]
)  # fmt: skip
#: How what is written of an object of ours is called.
OURS = "keras_dlnotes>"
#: What is written of an object; a model of Keras' own adds its name, and what it is connected to.
OBJECT = {"module", "class_name", "registered_name", "config", "build_config", "compile_config"}
#: What may come out: an argument that is refused, or a config that does not fit or lacks a field.
REFUSALS = (ValueError, TypeError, KeyError)


def serialised():
    made = {}
    for parameter in of(*CONFIGURED):
        thing = parameter.values[1].make()
        made[parameter.id] = json.loads(json.dumps(keras.saving.serialize_keras_object(thing)))
    vocabulary = word2vec.Vocabulary(["a", "b", "c"], [3, 2, 1])
    made["word2vec.Vocabulary"] = keras.saving.serialize_keras_object(vocabulary)
    model = word2vec.Word2Vec(vocabulary, 2, 2)
    made["word2vec.Word2Vec"] = json.loads(json.dumps(keras.saving.serialize_keras_object(model)))
    return made


@pytest.fixture(scope="module")
def configs():
    made = serialised()
    return made, [(name, path) for name, config in made.items() for path in fields(config)]


def fields(tree, path=()):
    """Paths of all that is written of objects of our own, and of nothing around them."""
    if isinstance(tree, dict) and str(tree.get("registered_name")).startswith(OURS):
        for key in OBJECT & tree.keys():
            yield (*path, key)
            yield from inside(tree[key], (*path, key))
    else:
        for key, value in entries(tree):
            yield from fields(value, (*path, key))


def inside(tree, path):
    for key, value in entries(tree):
        yield (*path, key)
        yield from inside(value, (*path, key))


def entries(tree):
    if isinstance(tree, dict):
        return tree.items()
    return enumerate(tree) if isinstance(tree, list) else ()


def changed(tree, path, how, value):
    """A copy with one field replaced, dropped or added."""
    tree, value = copy.deepcopy(tree), copy.deepcopy(value)
    inner = tree
    for key in path[:-1]:
        inner = inner[key]
    if how == "replace":
        inner[path[-1]] = value
    elif how == "drop":
        del inner[path[-1]]
    elif isinstance(inner, list):
        inner.append(value)
    else:
        inner["unheard_of"] = value
    return tree


#: What a model's graph, Keras' and TensorFlow's own blocks take, whatever the file holds.
SPARE = 64 << 20


@contextlib.contextmanager
def memory_within(limit):
    """TensorFlow's memory too: the process may not rise by more, not for a moment."""
    with contextlib.suppress(OSError):  # Linux: the peak begins anew.
        pathlib.Path("/proc/self/clear_refs").write_text("5")
    before = peak()
    try:
        yield
    finally:
        assert peak() - before <= limit, f"{peak() - before} bytes of memory"


def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss << 10


HOW = st.sampled_from(["replace"] * 6 + ["drop", "add"])


def one_config(configs, number, how, value):
    configs, table = configs
    name, path = table[number % len(table)]
    config = changed(configs[name], path, how, value)
    try:
        with memory_within(SPARE):
            keras.saving.deserialize_keras_object(config, safe_mode=True)
    except REFUSALS:
        pass
    except Exception as error:
        raise AssertionError(f"{name}, {path}, {how} {value!r}: {error!r}") from error


def sweep(one, made, **how_much):
    case = functools.partial(one, made)
    try_out(case, st.integers(0, 10**6), HOW, VALUES, **how_much)


# What Keras cannot build from a changed shape it warns of.
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_configs_with_a_field_changed(configs):
    sweep(one_config, configs, count=400)


@pytest.mark.long
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_ten_thousand_configs(configs):
    sweep(one_config, configs, **LONG)


# ------------------------------------------------------------------------------ .keras files


def many_classes():
    hidden, label = keras.Input((3,)), keras.Input((), dtype="int32")
    head = word2vec.HierarchicalSoftmax([3, 2, 1])
    return keras.Model([hidden, label], head(hidden, label))


@pytest.fixture(scope="module")
def archives(tmp_path_factory):
    """Name -> members of the file of a model of ours."""
    folder, made = tmp_path_factory.mktemp("archives"), {}
    nets = {"mlp": models.MLP(2, (3,), batch_normalization=True, dropout=0.1, input_shape=(2,))}
    nets["built later"] = models.MLP(2, (3,), block="maxout", pieces=3)
    nets["built later"].build((None, 4))
    nets["pictures"] = models.DenoisingAutoencoder(3, (2,), convolutional=True)
    nets["pictures"].build((None, 4, 4, 1))
    nets["grown"] = models.MLP(2, (3,), input_shape=(4,))
    nets["grown"].add(keras.layers.Dense(5))
    nets["perceptron"] = models.Perceptron()
    nets["perceptron"].build((None, 4))
    members = [keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)]) for _ in range(2)]
    nets["ensemble"] = models.Ensemble(members)
    for net in nets.values():
        net.compile(optimizers.Adam(), losses.Huber())
    nets["word2vec"] = word2vec.Word2Vec(word2vec.Vocabulary(["a", "b", "c"], [3, 2, 1]), 2, 2)
    nets["word2vec"].compile()
    nets["head"] = many_classes()
    for parameter in of(Layer):
        if issubclass(parameter.values[0], Sized):
            nets[parameter.id] = layer_model(parameter.values[1])
    for name, net in nets.items():
        net.save(folder / f"{name}.keras")
        with zipfile.ZipFile(folder / f"{name}.keras") as file:
            made[name] = {member: file.read(member) for member in file.namelist()}
    trees = {name: json.loads(members["config.json"]) for name, members in made.items()}
    return (
        folder,
        made,
        [(name, tree, path) for name, tree in trees.items() for path in fields(tree)],
    )


def one_archive(archives, number, how, value):
    folder, made, table = archives
    name, tree, path = table[number % len(table)]
    tree = changed(tree, path, how, value)
    if number % 200 == 0:
        keras.utils.clear_session(free_memory=False)  # Names and graphs of all that came before.
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as file:
        for member, content in made[name].items():
            file.writestr(member, json.dumps(tree) if member == "config.json" else content)
    target = folder / "changed.keras"
    target.write_bytes(data.getvalue())
    WATCH.seen.clear()
    WATCH.active = True
    try:
        with memory_within(4 * len(data.getvalue()) + SPARE):
            keras.saving.load_model(target, safe_mode=True)
    except REFUSALS:
        pass
    except Exception as error:
        raise AssertionError(f"{name}, {path}, {how} {value!r}: {error!r}") from error
    finally:
        WATCH.active = False
        opened = [what for what in WATCH.seen if "passwd" in str(what) or what[0] != "open"]
    dangerous = [what for what in opened if what[0] in ("pickle.find_class", "os.system", "open")]
    assert not dangerous, dangerous


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_files_with_a_field_changed(archives):
    sweep(one_archive, archives, count=60)


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_no_size_takes_more_memory_than_a_file_says(archives):
    for number, (_, tree, path) in enumerate(archives[2]):
        for value in enlarged(functools.reduce(operator.getitem, path, tree)):
            one_archive(archives, number, "replace", value)


def enlarged(old):
    """A size that became large; each of several, when it is a list of them."""
    if isinstance(old, int) and not isinstance(old, bool):
        yield LARGE
    elif isinstance(old, list) and all(size is None or isinstance(size, int) for size in old):
        yield from ([*old[:i], LARGE, *old[i + 1 :]] for i in range(len(old)))


@pytest.mark.long
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_ten_thousand_files_with_a_field_changed(archives):
    sweep(one_archive, archives, **LONG)


def is_ours(made, name, path):
    """Whether a class of ours has this argument, not a Keras layer inside."""
    owner = functools.reduce(operator.getitem, path[:-2], made[name])
    return str(owner.get("registered_name")).startswith(OURS)


@pytest.mark.parametrize(
    "field", ["vector_size", "window", "negative", "outputs", "code_size", "units"]
)
def test_a_size_of_a_million_million_is_refused_before_anything_is_allocated(configs, field):
    made, table = configs
    places = [
        (name, path) for name, path in table if path[-1] == field and is_ours(made, name, path)
    ]
    assert places
    for name, path in places:
        config = changed(made[name], path, "replace", 10**12)
        with memory_within(SPARE), pytest.raises(REFUSALS, match="from 1 to 2147483647"):
            keras.saving.deserialize_keras_object(config)


def test_no_lambda_and_no_code(archives):
    """Keras' safe mode stays on: our classes call nothing that a file names."""
    folder, made, _ = archives
    tree = json.loads(made["mlp"]["config.json"])
    tree["config"]["activation"] = {
        "class_name": "__lambda__", "config": {"value": "4wEAAAA="}, "module": "builtins"
    }  # fmt: skip
    with zipfile.ZipFile(folder / "lambda.keras", "w") as file:
        for member, content in made["mlp"].items():
            file.writestr(member, json.dumps(tree) if member == "config.json" else content)
    with pytest.raises((ValueError, TypeError), match=r"unsafe|lambda|Lambda|deserial"):
        keras.saving.load_model(folder / "lambda.keras")
