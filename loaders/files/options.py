"""What a call of ``load files`` asks for: options, checked once, before any file."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from functools import cached_property
from typing import TYPE_CHECKING, Any, Self

import orjson

from common.errors import UsageError
from loaders.files.encodings import checked
from loaders.files.mapping import check_table, near
from loaders.files.quotes import checked_escape
from loaders.schema import EARLIEST_TIME
from loaders.values import NotTyped, Typing, to_timestamp
from loaders.zones import zone_named

if TYPE_CHECKING:
    from loaders.presets import Preset

#: Options that came later: stored only where they are given, so that files which landed
#: before keep their fingerprints.
_LATER = ("decimal_comma", "nulls", "adopt", "encoding", "escape", "increments", "partitions")


@dataclass(frozen=True)
class Options:
    """Options of one call. Raises UsageError for what contradicts itself."""

    table: str | None = None
    preset: str | None = None
    maps: Mapping[str, str] = field(default_factory=dict)
    sets: Mapping[str, str] = field(default_factory=dict)
    records: str | None = None
    time_format: str | None = None
    time_zone: str | None = None
    decimal_comma: bool = False
    nulls: Sequence[str] = ()
    backfill: bool = False
    extracted_at: datetime | str | None = None
    again: bool = False
    #: The product of posts that ACE did not make; see :mod:`loaders.adoption`.
    adopt: str | None = None
    dry_run: bool = False
    #: Python's name of an encoding, or any that it knows.
    encoding: str | None = None
    #: What stands before quotes inside quoted fields of CSV.
    escape: str | None = None
    #: Values that a file's folders state, by name.
    partitions: Mapping[str, str] = field(default_factory=dict)
    #: Counts are growth; see :mod:`loaders.files.increments`.
    increments: bool = False

    def __post_init__(self) -> None:
        if not self.table and not self.preset:
            raise UsageError(
                "Say what the files hold.",
                "Use --table NAME for one of the twelve tables or --preset NAME for an export.",
            )
        if self.table:
            check_table(self.table)
        if self.preset:
            self._check_preset()
        self._check_adoption()
        if self.backfill and self.extracted_at is not None:
            raise UsageError(
                "--backfill and --extracted-at both set the known-at time.", "Give one of them."
            )
        self._check_time_format()
        if self.encoding is not None:
            object.__setattr__(self, "encoding", checked(self.encoding))
        if self.escape is not None:
            checked_escape(self.escape)
        if self.increments and self.resources != ("performance_metrics",):
            raise UsageError(
                "--increments adds up polls of posts: it is for performance_metrics alone.",
                "Load them with --table performance_metrics.",
            )
        _ = self.zone, self.known_at

    def _check_adoption(self) -> None:
        if self.adopt is None:
            if "product" in self.maps and self.table == "published_posts":
                raise UsageError(
                    f"--map product={self.maps['product']} names the products of posts that "
                    "ACE did not make.",
                    "Add --adopt NAME: the product of posts for which that field is empty.",
                )
            return
        from loaders.adoption import product_name

        object.__setattr__(self, "adopt", product_name(self.adopt))
        if not self.adopt:
            raise UsageError("--adopt names no product.", "Name one, as in --adopt 'My shop'.")
        if "published_posts" not in self.resources:
            what = f"the preset {self.preset} gives none" if self.preset else "use it with them"
            raise UsageError(
                f"--adopt is for posts (published_posts), not {' and '.join(self.resources)}: "
                f"{what}.",
                "Load the posts with --table published_posts --adopt NAME; polls find them by "
                "platform and external_post_id.",
            )

    def _check_time_format(self) -> None:
        if self.time_format is None:
            return
        problem = "it names no part of a date"
        if "%" in self.time_format.replace("%%", ""):
            try:
                datetime.strptime("", self.time_format)
                return
            except (ValueError, re.error) as error:
                problem = str(error)
                # What any sound format says of an empty text.
                if problem.startswith("time data"):
                    return
        raise UsageError(
            f"--time-format '{self.time_format}' is no date format: {problem}.",
            "Write it like %d/%m/%Y %H:%M.",
        )

    def _check_preset(self) -> None:
        from loaders.presets import PRESETS

        if self.preset not in PRESETS:
            raise UsageError(
                f"There is no preset '{self.preset}'.", near(str(self.preset), PRESETS)
            )
        for option, value in (("--map", self.column_maps), ("--records", self.records)):
            if value:
                raise UsageError(
                    f"{option} does not go with --preset, which knows its fields.",
                    f"Leave {option} out, or use --table and map every field.",
                )
        if self.table and self.table not in self._preset.resources:
            raise UsageError(
                f"The preset {self.preset} has nothing for {self.table}.",
                f"It lands: {', '.join(self._preset.resources)}.",
            )

    @cached_property
    def _preset(self) -> Preset:
        from loaders.presets import PRESETS

        return PRESETS[str(self.preset)]

    @property
    def source(self) -> str:
        """The source the records are landed as."""
        return self._preset.source if self.preset else "files"

    @cached_property
    def resources(self) -> tuple[str, ...]:
        """What the files can become; the first takes records nobody can place."""
        return (self.table,) if self.table else self._preset.resources

    @property
    def product(self) -> str | None:
        """Where an adopted post's own product is in its record, if anywhere."""
        return self.maps.get("product") if self.adopt is not None else None

    @property
    def column_maps(self) -> dict[str, str]:
        """``--map`` without the product, which is no column."""
        return {n: p for n, p in self.maps.items() if n != "product" or self.adopt is None}

    @property
    def wanted(self) -> tuple[str, ...]:
        """What a preset shall land: posts, which need an experiment, only when asked for."""
        if self.table or self.adopt is not None:
            return self.resources
        return tuple(name for name in self.resources if name != "published_posts")

    @cached_property
    def zone(self) -> tzinfo:
        return zone_named(self.time_zone)

    @cached_property
    def known_at(self) -> datetime | None:
        """``--extracted-at`` as a time; UsageError when it is none."""
        if self.extracted_at is None:
            return None
        try:
            known_at = to_timestamp(self.extracted_at, Typing(time_zone=self.zone))
        except NotTyped as error:
            raise UsageError(
                f"--extracted-at: {error}.", "Write it like 2026-01-31T12:00:00Z."
            ) from None
        if known_at is not None and known_at < EARLIEST_TIME:
            raise UsageError(
                f"--extracted-at {self.extracted_at}: nothing was observed before "
                f"{EARLIEST_TIME:%Y-%m-%d}.",
                "Give the time at which the file's values were read from their source.",
            )
        return known_at

    def typing(self, *, from_csv: bool) -> Typing:
        return Typing(
            time_format=self.time_format,
            time_zone=self.zone,
            from_csv=from_csv,
            decimal_comma=self.decimal_comma,
            nulls=frozenset(word.strip() for word in self.nulls),
            signed_counts=self.increments,
        )

    def stored(self) -> dict[str, Any]:
        """The options as kept beside rejected records; :meth:`from_stored` reads them."""
        return {
            "table": self.table,
            "preset": self.preset,
            "maps": dict(self.maps),
            "sets": dict(self.sets),
            "records": self.records,
            "time_format": self.time_format,
            "time_zone": self.time_zone,
            "backfill": self.backfill,
            **{name: value for name in _LATER if (value := getattr(self, name))},
        }

    @classmethod
    def from_stored(cls, values: Mapping[str, Any]) -> Self:
        names = cls.__dataclass_fields__
        return cls(**{name: value for name, value in values.items() if name in names})

    def fingerprint(self, content: str, resource: str) -> str:
        """Identifies an input: its content's hash, the resource, and the options."""
        known_at = self.known_at.isoformat() if self.known_at else None
        options = orjson.dumps([resource, self.stored(), known_at], option=orjson.OPT_SORT_KEYS)
        return f"{content}-{hashlib.sha1(options, usedforsecurity=False).hexdigest()[:16]}"
