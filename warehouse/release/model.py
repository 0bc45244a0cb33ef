"""What a release is, whatever engine holds it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, Protocol

from common.errors import AceError, UsageError
from repositories.columns import SCHEMAS
from repositories.values import plain

if TYPE_CHECKING:
    from warehouse.release.runs import Run

#: Schemas of the build database that a release shows.
PUBLIC_SCHEMAS = tuple(one for one in SCHEMAS if one != "meta")


@dataclass(frozen=True)
class ReleaseSummary:
    """One kept release."""

    release: int
    released_at: datetime
    as_of: datetime
    git_revision: str | None
    dbt_version: str
    engine: str
    project_fingerprint: str
    #: The dbt run that built it.
    invocation_id: str
    current: bool = False


@dataclass(frozen=True)
class TestOutcome:
    """One test of the build: ``pass`` or ``warn`` (with the number of rows found)."""

    __test__ = False

    name: str
    model: str | None
    status: str
    failures: int


#: Rows landed and accepted, of the ledger in a schema.
LEDGER = (
    "select cast(coalesce(sum(landed), 0) as bigint), cast(coalesce(sum(accepted), 0) as bigint) "
    "from {schema}.row_ledger"
)
#: Columns of meta.tables, in the order of a TableDocument's fields.
DOCUMENT_COLUMNS = (
    "table_schema text, table_name text, description text, grain text, area text, "
    "used_by text, example text, made_from text"
)


@dataclass(frozen=True)
class TableDocument:
    """What the project says of a public table; made_from and used_by are lists in a text."""

    schema: str
    table: str
    description: str
    grain: str | None = None
    area: str | None = None
    used_by: str | None = None
    #: A query that runs as it stands.
    example: str | None = None
    #: Public tables that it is made from, through private steps.
    made_from: str | None = None


@dataclass(frozen=True)
class Passed:
    """A complete build that passed every test, ready to be released."""

    fingerprint: str
    git_revision: str | None
    dbt_version: str
    invocation_id: str
    tests: list[TestOutcome] = field(default_factory=list)
    #: (schema, table, column) to description, in public schema names.
    descriptions: dict[tuple[str, str, str], str] = field(default_factory=dict)
    tables: list[TableDocument] = field(default_factory=list)


@dataclass(frozen=True)
class Unreleased:
    """What the build database holds, complete and tested, released or not."""

    fingerprint: str
    as_of: datetime
    loads: set[str]
    #: The outcomes of its tests.
    tests: list[TestOutcome] = field(default_factory=list)
    #: Rows by its ledger.
    landed: int = 0
    accepted: int = 0


class ReleaseStore(Protocol):
    """Where an engine keeps its releases and the build they are made from."""

    engine: str

    def current(self) -> ReleaseSummary | None:
        """What readers get; None before the first release and when it cannot be read."""
        ...

    def releases(self) -> list[ReleaseSummary]:
        """Kept releases that can be read, newest first."""
        ...

    def damaged(self) -> list[str]:
        """Sentences on what cannot be read, the way out last; empty when all can."""
        ...

    def loads(self, release: int) -> set[str]:
        """Ids of the loads a release covers."""
        ...

    def unreleased(self) -> Unreleased | None:
        """The last build and its loads, if it passed and nothing was built since."""
        ...

    def record_passed(self, passed: Passed) -> None:
        """Write down that the build database holds a complete, tested build."""
        ...

    def forget_passed(self) -> None:
        """Tests that look at what is new since a build passed look at all rows again."""
        ...

    def prepare(self) -> None:
        """Raise AceError if a release could not be written, before a build does its work."""
        ...

    def share(self) -> None:
        """Let the configured readers read the releases, where the engine has roles."""
        ...

    def publish(self) -> ReleaseSummary:
        """Release what ``record_passed`` recorded; the current release changes at its very end."""
        ...

    def runs(self) -> list[Run]:
        """Builds of the past and the one that runs, oldest first."""
        ...

    def keep_runs(self, runs: list[Run]) -> None:
        """Replace the history of builds; called while no other build can."""
        ...

    def rollback(self, release: int) -> ReleaseSummary:
        """Make an older (or newer) kept release the current one."""
        ...

    def only_current(self) -> list[int]:
        """Delete every release but the current one; returns the numbers of those."""
        ...


def other_build() -> AceError:
    """Another build began before this one was released: its tables are no longer its own."""
    return AceError(
        "Another build began while this one ran, so this one was given up: the session on "
        "Postgres that held its lock had ended (by an administrator, a restart or a pooler).",
        "What landed is in the other build, or in the next.",
    )


def unknown_release(number: int, kept: list[ReleaseSummary]) -> UsageError:
    known = ", ".join(str(one.release) for one in kept) or "none"
    return UsageError(
        f"Release {number} is not kept (kept: {known}).", "'ace releases' lists them."
    )


def to_json(summary: ReleaseSummary) -> dict[str, Any]:
    return {name: plain(value) for name, value in vars(summary).items()}
