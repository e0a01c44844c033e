"""Estimators: how good an architecture is, by training it, and what it costs."""

from nasturtium.estimators.cost import COSTS, lengths_for, structural
from nasturtium.estimators.defaults import default_recipe
from nasturtium.estimators.distillation import Distillation
from nasturtium.estimators.recipe import Augmentation, Recipe, Trained
from nasturtium.estimators.training import Tested, Training

ESTIMATORS = {"training": Training}
"""Every estimator by its name; each is made of a task."""

__all__ = [
    "COSTS",
    "ESTIMATORS",
    "Augmentation",
    "Distillation",
    "Recipe",
    "Tested",
    "Trained",
    "Training",
    "default_recipe",
    "lengths_for",
    "structural",
]
