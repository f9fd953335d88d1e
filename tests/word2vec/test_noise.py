import keras
import numpy as np
import pytest
from scipy import stats

from keras_dlnotes.word2vec.noise import NoiseDistribution
from keras_dlnotes.word2vec.outputs.negative import SharedNoise
from keras_dlnotes.word2vec.training.architectures import SkipGram
from keras_dlnotes.word2vec.training.step import Step

COUNTS = np.array([1000, 500, 0, 77, 20, 20, 3, 1, 0, 1])


@pytest.mark.parametrize("exponent", [0.75, 1.0, 0.0, -0.5])
def test_the_alias_tables_are_exact(exponent):
    noise = NoiseDistribution(COUNTS, exponent)
    weights = np.where(COUNTS > 0, np.maximum(COUNTS, 1) ** float(exponent), 0)
    np.testing.assert_allclose(noise.probabilities, weights / weights.sum())
    kept = noise.threshold.astype(float)
    implied = kept / len(COUNTS)
    np.add.at(implied, noise.alias, (1 - kept) / len(COUNTS))
    np.testing.assert_allclose(implied, noise.probabilities, atol=1e-7)


@pytest.mark.parametrize(("exponent", "likeliest"), [(1e300, [0]), (-1e300, [7, 9])])
def test_no_exponent_is_too_large(exponent, likeliest):
    noise = NoiseDistribution(COUNTS, exponent)
    np.testing.assert_array_equal(np.flatnonzero(noise.probabilities), likeliest)
    assert set(noise.sample(np.random.default_rng(0), 1000).tolist()) == set(likeliest)


@pytest.mark.parametrize("where", ["numpy", "step"])
def test_draws_pass_a_chi_square_test(where):
    noise = NoiseDistribution(COUNTS)
    if where == "numpy":
        drawn = noise.sample(np.random.default_rng(0), 200_000)
    else:
        step = Step(SkipGram(), SharedNoise(5), 2, noise=noise)
        seed = keras.random.SeedGenerator(3)
        drawn = keras.ops.convert_to_numpy(step.noise((2000, 100), seed)).ravel()
    seen = np.bincount(drawn, minlength=len(COUNTS))
    there = noise.probabilities > 0
    assert seen[~there].sum() == 0
    expected = noise.probabilities[there] * len(drawn)
    assert stats.chisquare(seen[there], expected).pvalue > 1e-3


@pytest.mark.parametrize("counts", [[0, 0], [1, -1], []])
def test_bad_counts(counts):
    with pytest.raises(ValueError, match="counts"):
        NoiseDistribution(counts)
