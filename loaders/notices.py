"""What was noticed in the values of one load: kinds, columns, counts and an example each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
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
#: Distinct names remembered: records whose keys are all different must not fill memory.
_REMEMBERED = 1_000


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
    #: Counts of -1, which stand for counts that their owner hides.
    hidden: int = 0
    #: Texts whose UTF-8 bytes had been taken for characters.
    mended: int = 0
    #: Numeric ids of a length that loses digits in a floating-point number, by column.
    long_ids: Counter[str] = field(default_factory=Counter)
    #: Those of them that look as if they had, and one of them.
    rounded_ids: Counter[str] = field(default_factory=Counter)
    rounded_example: dict[str, str] = field(default_factory=dict)
    #: Fields no column took, and in how many records they had a value. Said by the loader,
    #: which knows what columns are still without one.
    untaken: Counter[str] = field(default_factory=Counter)
    #: Fields of which a mapped path takes a part.
    partly_taken: set[str] = field(default_factory=set)

    def leave(self, names: Iterable[str]) -> None:
        """Fields of one record that no column took; names without end are not remembered."""
        for name in names:
            if name in self.partly_taken:
                continue
            if name in self.untaken or len(self.untaken) < _REMEMBERED:
                self.untaken[name] += 1

    def sentences(self) -> list[str]:
        """One sentence for each kind that occurred, the most telling first."""
        return [
            *self._rounded(),
            *self._unknown(),
            *self._hidden(),
            *self._mended(),
            *self._numbered(),
        ]

    def _rounded(self) -> Iterator[str]:
        for name, rounded in self.rounded_ids.items():
            long, example = self.long_ids[name], self.rounded_example[name]
            # One of fifty honest ids looks rounded, too; one of a thousand ends in three zeros.
            if 2 * rounded < long or (rounded == 1 and not example.endswith("000")):
                continue
            yield (
                f"{name}: {rounded:,} of {long:,} long ids look rounded, such as {example}: "
                "spreadsheets and JavaScript change the last digits of long numbers. "
                "Export them as text if so."
            )

    def _unknown(self) -> Iterator[str]:
        if self.unknown:
            words = ", ".join(f"'{word}'" for word, _ in self.unknown.most_common(_NAMED))
            yield f"{_values(self.unknown.total())} read as unknown: {words}."

    def _hidden(self) -> Iterator[str]:
        if self.hidden:
            yield f"{_values(self.hidden)} -1, a hidden count: read as unknown."

    def _mended(self) -> Iterator[str]:
        if self.mended:
            yield (
                f"{self.mended:,} {'text' if self.mended == 1 else 'texts'} in a wrong encoding "
                "mended; as written they are in _extra under _mended."
            )

    def _numbered(self) -> Iterator[str]:
        for kind, count in self.numbered.items():
            column, what, natural = kind
            values = "value is no uuid" if count == 1 else "values are no uuids"
            became = _NUMBERED[what].format(column=column, natural=natural)
            example = self.numbered_example[kind]
            yield f"{column}: {count:,} {values}, such as '{example}': {became}."


def _values(count: int) -> str:
    return f"{count:,} {'value was' if count == 1 else 'values were'}"
