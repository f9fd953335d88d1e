"""Word Mover's Distance: what it costs to carry one text's words to another's."""

import collections

import numpy as np

from keras_dlnotes import _checks


def distance(vectors, document1, document2, norm=True):
    """Word Mover's Distance between two lists of words.

    Each text is a unit of mass, spread over its words by their frequency; the distance is the least
    mass x way over all ways to carry one to the other, where the way between two words is that
    between their vectors (of length 1 if `norm`). Unknown words are left out; without any known
    word the distance is infinite. It is exact: SciPy solves the linear programme.

    Reference: [Kusner et al., 2015](https://proceedings.mlr.press/v37/kusnerb15.html)
    """
    _checks.several("document1", document1)
    _checks.several("document2", document2)
    first, second = (
        collections.Counter(vectors.get_index(word) for word in document if word in vectors)
        for document in (document1, document2)
    )
    if not first or not second:
        return float("inf")
    rows = sorted(first.keys() | second.keys())
    supply, demand = (
        np.array([words[row] for row in rows]) / words.total() for words in (first, second)
    )
    # Ways obey the triangle inequality, so mass that both have in one place stays there.
    shared = np.minimum(supply, demand)
    supply, demand = supply - shared, demand - shared
    givers, takers = np.flatnonzero(supply), np.flatnonzero(demand)
    if not len(givers) or not len(takers):
        return 0.0
    table = np.stack([vectors.get_vector(row, norm=norm) for row in rows]).astype(float)
    ways = np.linalg.norm(table[givers, None] - table[takers], axis=-1)
    return carried(ways, supply[givers], demand[takers])


def carried(ways, supply, demand):
    """The least cost of carrying ``supply`` to ``demand``."""
    try:
        from scipy import optimize, sparse
    except ImportError as error:
        raise ImportError("Word Mover's Distance needs SciPy: pip install scipy") from error
    n, m = ways.shape
    rows = sparse.kron(sparse.eye_array(n), np.ones((1, m)))
    columns = sparse.kron(np.ones((1, n)), sparse.eye_array(m))
    # Both sides sum to the same only up to rounding, which equations would not forgive: the last
    # one follows from the others and is left out.
    sums = sparse.vstack([rows, columns]).tocsr()[:-1]
    masses = np.concatenate([supply, demand])[:-1]
    solution = optimize.linprog(ways.ravel(), A_eq=sums, b_eq=masses, method="highs")
    if not solution.success:
        raise RuntimeError(f"SciPy found no solution: {solution.message}")
    return float(solution.fun)
