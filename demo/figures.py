"""Sums up what a run has measured."""

import math


def percentile(values: list[float], share: float) -> float:
    """Nearest-rank percentile: the value at rank ceil(share * n) in rising order. ValueError for no values."""
    if not values:
        raise ValueError("no values were measured")
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def summary(values: list[float], *names: str) -> dict[str, float]:
    """`min` and `median` of the values, rounded to 0.01."""
    known = {"min": lambda: min(values), "median": lambda: percentile(values, 0.5)}
    if not values:
        raise ValueError("no values were measured")
    return {name: round(known[name](), 2) for name in names}
