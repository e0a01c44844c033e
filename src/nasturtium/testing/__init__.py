"""The laws, for whoever adds a space, strategy, predictor, store or executor."""

from nasturtium.testing.broken import LawBroken
from nasturtium.testing.executor_laws import EXECUTOR_LAWS, check_executor
from nasturtium.testing.laws import LAWS, check_space
from nasturtium.testing.predictor_laws import PREDICTOR_LAWS, check_predictor
from nasturtium.testing.small_spaces import SMALL_SPACES
from nasturtium.testing.store_laws import STORE_LAWS, check_reopening, check_store
from nasturtium.testing.strategy_laws import STRATEGY_LAWS, check_strategy

__all__ = [
    "EXECUTOR_LAWS",
    "LAWS",
    "PREDICTOR_LAWS",
    "SMALL_SPACES",
    "STORE_LAWS",
    "STRATEGY_LAWS",
    "LawBroken",
    "check_executor",
    "check_predictor",
    "check_reopening",
    "check_space",
    "check_store",
    "check_strategy",
]
