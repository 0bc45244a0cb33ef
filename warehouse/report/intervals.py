"""Where estimates and their intervals lie on one scale, for bars beside the numbers."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import log1p

#: No relative change below this is told from it: the logarithm would run away.
LEAST = -0.95
#: A scale shows at least a fifth more and less, and at most seven times as many.
NARROWEST, WIDEST = log1p(0.2), log1p(6.0)


@dataclass(frozen=True)
class Bar:
    """Percentages from the left of the scale."""

    low: float
    width: float
    at: float
    nothing: float
    #: Whether the interval is on one side of no change, and on which.
    side: str


@dataclass(frozen=True)
class Scale:
    """From ``least`` to ``most``, in logarithms of 1 + the relative change."""

    least: float
    most: float

    def _place(self, change: float) -> float:
        value = min(max(log1p(max(change, LEAST)), self.least), self.most)
        return 100 * (value - self.least) / (self.most - self.least)

    def bar(self, value: float | None, low: float | None, high: float | None) -> Bar | None:
        """None where the estimate or its interval is not known."""
        if value is None or low is None or high is None:
            return None
        left, right = self._place(low), self._place(high)
        side = "more" if low > 0 else "less" if high < 0 else "either"
        return Bar(left, max(1.0, right - left), self._place(value), self._place(0), side)


def scale(ends: Iterable[float | None]) -> Scale:
    """One that holds these relative changes, and no change at all."""
    logs = [log1p(max(end, LEAST)) for end in ends if end is not None]
    least, most = min([*logs, -NARROWEST]), max([*logs, NARROWEST])
    return Scale(max(least, -WIDEST) * 1.04, min(most, WIDEST) * 1.04)
