"""What was noticed in the values of one load: kinds, columns, counts and an example each."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

#: Columns, words or values named in one sentence.
_NAMED = 5


@dataclass
class Notices:
    """Counts of what was done to values besides reading them, said once per load.

    Each kind of notice has a field here, filled where values are typed, and a sentence in
    :meth:`sentences`.
    """

    #: Words that were read as "unknown", and how many values each was.
    unknown: Counter[str] = field(default_factory=Counter)

    def sentences(self) -> list[str]:
        """One sentence for each kind that occurred, the most telling first."""
        found = []
        if self.unknown:
            words = ", ".join(f"'{word}'" for word, _ in self.unknown.most_common(_NAMED))
            count = self.unknown.total()
            values = "value was" if count == 1 else "values were"
            found.append(f"{count:,} {values} read as unknown: {words}.")
        return found
