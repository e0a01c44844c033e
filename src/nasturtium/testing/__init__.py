"""The laws that every space has to keep, for whoever adds one."""

from nasturtium.testing.laws import LAWS, LawBroken, check_space

__all__ = ["LAWS", "LawBroken", "check_space"]
