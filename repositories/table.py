"""A canonical table: rows as models, and writes that are durable when they return."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Generic, Literal, TypeVar, overload

from common.errors import UsageError
from repositories.relation import Rows
from repositories.row import Row

if TYPE_CHECKING:
    import polars as pl

    from loaders.inbox.place import Place
    from repositories.session import Session

R = TypeVar("R", bound=Row)


class Table(Rows, Generic[R]):
    """Rows of one of the twelve tables."""

    def __init__(self, session: Session, place: Place, model: type[R]) -> None:
        super().__init__(session, "canonical", model.TABLE, (model.KEY,))
        self._place = place
        self.model = model

    def get(self, key: Any) -> R | None:
        """The row with a key, or None. UsageError for what can be no key."""
        found = self._one(key)
        return None if found is None else self.model.model_validate(found)

    @overload
    def find(
        self,
        *,
        order_by: str | Iterable[str] | None = None,
        limit: int | None = None,
        after: Any = None,
        frame: Literal[False] = False,
        **filters: Any,
    ) -> list[R]: ...

    @overload
    def find(
        self,
        *,
        order_by: str | Iterable[str] | None = None,
        limit: int | None = None,
        after: Any = None,
        frame: Literal[True],
        **filters: Any,
    ) -> pl.DataFrame: ...

    def find(
        self,
        *,
        order_by: str | Iterable[str] | None = None,
        limit: int | None = None,
        after: Any = None,
        frame: bool = False,
        **filters: Any,
    ) -> list[R] | pl.DataFrame:
        """The rows that pass all filters, as models or, with ``frame``, as a Polars frame.

        Filters are ``column=value`` or ``column__operator=value`` with eq, ne, gt, gte, lt, lte,
        in, not_in, null, has (of lists), contains and startswith (of text). ``order_by`` is a
        column or several, ``"-column"`` for descending; the key always comes last. ``limit``
        is all rows by default. ``after`` is the last row of the page before, or its key.
        UsageError for a column, operator or value that cannot be.
        """
        asked = {"filters": filters, "order_by": order_by, "limit": limit, "after": after}
        if frame:
            return self._frame(**asked)
        return [self.model.model_validate(row) for row in self._rows(**asked)]

    def create(self, *, key: str | None = None, **values: Any) -> str:
        """Write a row; durable when it returns, readable in the release after the next landing.

        ``key`` is your own name for the row: of all writes with one key, one lands. Returns
        the row's key (``post_id``, ``note_id``...), given, derived from ``key``, or new.
        Raises InvalidValue for a row that the contract refuses, and
        AceError when it could not be made durable (it may land all the same: use ``key``).
        """
        return self._write([(key, values)])[0]

    def create_many(self, rows: Iterable[Mapping[str, Any]]) -> list[str]:
        """Write many rows for the price of one; ``key`` among a row's values is as in create.

        None is written when one is refused.
        """
        given = []
        for number, row in enumerate(rows):
            if not isinstance(row, Mapping):
                raise UsageError(
                    f"Row {number:,} is {row!r:.60}.", "A row is a dict of its values by column."
                )
            given.append((row.get("key"), row))
        return self._write(given)

    def _write(self, rows: list[tuple[str | None, Mapping[str, Any]]]) -> list[str]:
        from loaders.inbox.contract import checked

        at = datetime.now(UTC)
        lines = []
        for number, (key, values) in enumerate(rows):
            given = {name: value for name, value in values.items() if name != "key"}
            try:
                lines.append(checked(self._name, given, at, key))
            except UsageError as error:
                if len(rows) > 1:
                    error.message = f"Row {number:,}: {error.message}"
                raise
        if lines:
            self._place.append(self._name, b"".join(line.encode() for line in lines))
        return [str(line.row[self.model.KEY]) for line in lines]
