"""From variables to layers: against NumPy over all numbers of a layer at once."""

import types

import numpy as np

from keras_dlnotes.callbacks.measures.gradient_groups import Groups
from keras_dlnotes.callbacks.measures.running_tables import EMPTY, fold, merge, summed_up


def test_layers_and_the_whole_are_as_if_their_variables_were_one():
    generator = np.random.default_rng(0)
    shapes, ids = [(4, 3), (3,), (3, 2)], np.array([0, 0, 1])
    sizes = np.array([np.prod(shape) for shape in shapes], "float32")
    layout = types.SimpleNamespace(
        variables=shapes, layers=["first", "second"], layer_ids=ids, sizes=sizes
    )
    gradients = [generator.normal(1e-20, 1e-20, shape) for shape in shapes]
    gradients[0][0, 0] = 0.0
    old = [generator.normal(size=shape) for shape in shapes]
    new = [w + 0.1 * generator.normal(size=shape) for w, shape in zip(old, shapes, strict=True)]
    numbers = [
        (g.mean(), g.std(), np.abs(g).max(), (g == 0).mean(), *map(np.linalg.norm, (b, b - a, a)))
        for g, a, b in zip(gradients, old, new, strict=True)
    ]
    groups = Groups(layout, absent_is_unknown=False)
    found = groups.details(np.array(numbers).T[None])[0]
    for column, members in ((3, [0, 1]), (4, [2]), (5, [0, 1, 2])):
        g, a, b = (
            np.concatenate([part[i].ravel() for i in members]) for part in (gradients, old, new)
        )
        ratio = np.linalg.norm(b - a) / np.linalg.norm(a)
        expected = [g.mean(), g.std(), np.abs(g).max(), (g == 0).mean(), np.linalg.norm(b), ratio]
        np.testing.assert_allclose(found[:, column], expected, rtol=1e-6)
        norm = groups.norms(np.array([[np.linalg.norm(x) for x in gradients]]))[0, column]
        np.testing.assert_allclose(norm, np.linalg.norm(g), rtol=1e-6)


def test_infinities_and_absent_gradients():
    layout = types.SimpleNamespace(
        variables=[0, 1, 2], layers=[0, 1], layer_ids=np.array([0, 1, 1]), sizes=np.ones(3)
    )
    rows = np.array([[np.nan, 3.0, 4.0], [1.0, np.inf, 1.0]])
    known = Groups(layout, absent_is_unknown=True).norms(rows)
    np.testing.assert_allclose(known[:, 3:], [[np.nan, 5, 5], [1, np.inf, np.inf]])
    assert Groups(layout, absent_is_unknown=False).norms(rows)[0, 3] == 0


def test_a_table_is_the_same_at_once_one_by_one_and_in_parts():
    series = np.random.default_rng(1).normal(size=(7, 2, 3)).astype("float32")
    series[2, 0, 1], series[5, 1, 2], series[:, 1, 0] = np.nan, np.inf, np.nan
    whole = summed_up(series.astype("float64"))
    table = np.tile(EMPTY[:, None], (2, 1, 3))
    for x in series:
        table = fold(table, x)
    np.testing.assert_allclose(whole, table, rtol=1e-5)
    parts = merge(summed_up(series[:3]), summed_up(series[3:]))
    np.testing.assert_allclose(parts, whole, rtol=1e-5)
    np.testing.assert_array_equal(summed_up(series[:0])[:, 0], 0)
