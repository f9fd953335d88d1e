"""The ten steps to train a multilayer perceptron, as one call with a checklist to show for it."""

from keras_dlnotes.recipe.checklist import Checklist, Step
from keras_dlnotes.recipe.training import RecipeResult, train

__all__ = [
    "Checklist",
    "RecipeResult",
    "Step",
    "train",
]
