"""What was noticed in the values of one load: kinds, columns, counts and an example each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

#: Columns, words or values named in one sentence.
_NAMED = 5
#: What became of values in a key column that are no uuids, as the end of a sentence.
_NUMBERED = {
    "key": "each stands for one key, the same in every file",
    "other": "kept in _extra, since a number says in no other file what it means; the "
    "platform's own id does",
    "post": "such a poll finds a post that was loaded under that number and has no "
    "external_post_id; give the polls platform and external_post_id to find all",
    "nothing": "without platform and {natural} they do not say which row is meant; if they are "
    "the platform's own ids, add --map {natural}={column}",
}


@dataclass
class Notices:
    """Counts of what was done to values besides reading them, said once per load.

    Each kind of notice has a field here, filled where values are typed, and a sentence in
    :meth:`sentences`.
    """

    #: Words that were read as "unknown", and how many values each was.
    unknown: Counter[str] = field(default_factory=Counter)
    #: Values of key columns that are no uuids, by column, what became of them and the
    #: column that would have said more; and one of each.
    numbered: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    numbered_example: dict[tuple[str, str, str], str] = field(default_factory=dict)

    def sentences(self) -> list[str]:
        """One sentence for each kind that occurred, the most telling first."""
        found = []
        if self.unknown:
            words = ", ".join(f"'{word}'" for word, _ in self.unknown.most_common(_NAMED))
            count = self.unknown.total()
            values = "value was" if count == 1 else "values were"
            found.append(f"{count:,} {values} read as unknown: {words}.")
        return [*found, *self._numbered()]

    def _numbered(self) -> Iterator[str]:
        for kind, count in self.numbered.items():
            column, what, natural = kind
            values = "value is no uuid" if count == 1 else "values are no uuids"
            became = _NUMBERED[what].format(column=column, natural=natural)
            example = self.numbered_example[kind]
            yield f"{column}: {count:,} {values}, such as '{example}': {became}."
