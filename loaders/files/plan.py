"""What a call of ``load files`` asks for: options, checked once, before any file."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, tzinfo
from functools import cached_property
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

import orjson

from common.errors import UsageError
from loaders.files.encodings import checked
from loaders.files.mapping import FieldMap, at_path, check_table, near
from loaders.files.numbered import keyed
from loaders.files.partitions import in_path
from loaders.files.quotes import checked_escape
from loaders.records import Record, type_records
from loaders.schema import EARLIEST_TIME, PRODUCT, RESOURCES, twins
from loaders.values import NotTyped, Typing, to_timestamp
from loaders.zones import zone_named

if TYPE_CHECKING:
    import polars as pl

    from loaders.adoption import Adoption
    from loaders.files.increments import Increments
    from loaders.landing import Landing
    from loaders.notices import Notices
    from loaders.presets import Preset, PresetRecord

#: Options that came later: stored only where they are given, so that files which landed
#: before keep their fingerprints.
_LATER = ("decimal_comma", "nulls", "adopt", "encoding", "escape", "increments", "partitions")


@dataclass(frozen=True)
class Plan:
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
        _ = self.zone, self.fields, self.constants, self.known_at

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

    def adoption(self, landing: Landing, input: str) -> Adoption | None:
        """What makes the products, scripts and experiments of posts that have none."""
        if self.adopt is None:
            return None
        from loaders.adoption import Adoption

        return Adoption(landing, self.adopt, input=input)

    def growth(self, landing: Landing) -> Increments | None:
        """What adds counts up that are growth."""
        if not self.increments:
            return None
        from loaders.files.increments import Increments

        return Increments(landing, self.source, self.zone)

    def own_product(self, record: Any) -> dict[str, Any]:
        """What ``_extra`` says of the product that a record names for itself."""
        if self.product is None:
            return {}
        return {PRODUCT: at_path(record, self.product)}

    @cached_property
    def fields(self) -> dict[str, FieldMap]:
        """The field map of each resource; UsageError for unknown columns."""
        found = {}
        for resource in self.resources:
            columns = {c.name for c in RESOURCES[resource]}
            shared = len(self.resources) > 1
            sets = {n: v for n, v in self.sets.items() if n in columns or not shared}
            sets = self._stated[resource][0] | sets
            found[resource] = FieldMap(resource, self.column_maps, sets)
        for name in self.sets:
            if not any(name in fields.sets for fields in found.values()):
                every = {c.name for r in self.resources for c in RESOURCES[r]}
                raise UsageError(
                    f"--set {name}=...: {' and '.join(self.resources)} have no such column.",
                    near(name, sorted(every)),
                )
        return found

    def for_file(self, path: PurePath) -> Plan:
        """The plan with what the file's folders state. Raises AceError where that cannot be."""
        stated = in_path(path)
        return replace(self, partitions=stated) if stated else self

    @cached_property
    def _stated(self) -> dict[str, tuple[dict[str, str], dict[str, str]]]:
        """Columns of each resource that folders state, and what they state besides."""
        found = {}
        for resource in self.resources:
            names = FieldMap(resource)
            columns: dict[str, str] = {}
            others: dict[str, str] = {}
            for name, value in self.partitions.items():
                column = name if name in names.reached([name]) else names.renames([name]).get(name)
                (others if column is None else columns)[column or name] = value
            found[resource] = (columns, others)
        return found

    def folder_extra(self, resource: str) -> dict[str, str]:
        """What folders state and no column takes."""
        return self._stated[resource][1] if resource in self._stated else {}

    @cached_property
    def constants(self) -> dict[str, pl.DataFrame]:
        """One typed row of ``--set`` values per resource; UsageError for a bad one."""
        found = {}
        for resource, fields in self.fields.items():
            typing = Typing(time_zone=self.zone, from_csv=True, decimal_comma=self.decimal_comma)
            values, _ = keyed(fields, dict(fields.sets), {}, typing.notices)
            frame, rejected = type_records(resource, [values], typing=typing)
            if rejected:
                column, reason = rejected[0].field, rejected[0].reason
                if column in self.sets or not self.partitions:
                    raise UsageError(f"--set {reason}.", "Correct the value.")
                raise UsageError(
                    f"A folder on its path states a value that is none: {reason}.",
                    f"Give the right one with --set {column}=..., or rename the folder.",
                )
            found[resource] = frame.select(list(fields.sets))
        return found

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

    def values(
        self, record: dict[str, Any], notices: Notices
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        """Columns of a record of the table, and what else goes to its extra."""
        fields = self.fields[str(self.table)]
        values, extra = keyed(fields, *fields.apply(record), notices)
        if not self.partitions and self.product is None:
            return values, extra
        return values, self._folders(str(self.table), values) | extra | self.own_product(record)

    def _folders(self, resource: str, values: Mapping[str, Any]) -> dict[str, Any]:
        """What folders state for the extra of a record that does not state it itself."""
        if not self.partitions:
            return {}
        return {n: v for n, v in self.folder_extra(resource).items() if values.get(n) is None}

    @property
    def wanted(self) -> tuple[str, ...]:
        """What a preset shall land: posts, which need an experiment, only when asked for."""
        if self.table or self.adopt is not None:
            return self.resources
        return tuple(name for name in self.resources if name != "published_posts")

    def misfit(self, names: Collection[str]) -> str:
        """What is wrong with a file of these columns, as what follows its name; else ''."""
        if not self.preset or self._preset.misfit is None:
            return ""
        return self._preset.misfit(names)

    def remarks(self, resource: str) -> list[str]:
        """What must be known of a preset's records, and of those it could have landed."""
        said = self._said_of_folders(resource)
        if not self.preset:
            return said
        found = said + [text for name, text in self._preset.remarks.items() if name == resource]
        left_out = set(self.resources) - set(self.wanted)
        if "published_posts" in left_out:
            found.append(
                "Only the polls were landed: posts need an experiment each. Add --adopt NAME to "
                "land the posts, too."
            )
        if self._preset.lands and resource == "published_posts" and not self.time_zone:
            found.append("Their times state no zone and were read as UTC; --time-zone says which.")
        return found

    def _said_of_folders(self, resource: str) -> list[str]:
        if not self.partitions:
            return []
        stated = " and ".join(f"{name}={value}" for name, value in self.partitions.items())
        others = ", ".join(self.folder_extra(resource))
        extra = f"; kept in _extra, since no column is called so: {others}" if others else ""
        return [f"Read from the names of its folders: {stated}{extra}."]

    @cached_property
    def _presets(self) -> dict[tuple[datetime | None, str], Preset]:
        return {}

    def _preset_of(self, known_at: datetime | None, path: str) -> Preset:
        """The preset, told what it may need of the options and of the file."""
        if (known_at, path) not in self._presets:
            told: dict[str, Any] = {
                "path": path,
                "wanted": self.wanted,
                "known_at": known_at,
                "time_zone": self.zone,
                "time_format": self.time_format,
            }
            own = dict(self._preset.options)
            self._presets[known_at, path] = replace(
                self._preset, options=own | {name: told[name] for name in own if name in told}
            )
        return self._presets[known_at, path]

    def preset_records(
        self, document: Any, known_at: datetime | None, path: str = ""
    ) -> list[PresetRecord]:
        """The preset's records of one document, in the table that was forced, if any.

        ``known_at`` is the file's, None when its records' own times are; ``path`` is where
        it lies, '' where that is not known any more.
        """
        found: list[PresetRecord] = []
        try:
            for record in self._preset_of(known_at, path).records(document):
                found.append(self._forced(record))
        except Exception as error:
            found.append(self._unforeseen(document, error))
        return found

    def _unforeseen(self, document: Any, error: Exception) -> PresetRecord:
        """A document with which the preset cannot deal costs itself, not its file."""
        from loaders.presets.base import refused

        reason = f"The preset {self.preset} cannot read it ({type(error).__name__})."
        return refused(document, reason)

    def _forced(self, record: PresetRecord) -> PresetRecord:
        if not self.table or record.resource is None or record.resource == self.table:
            return record
        columns = {c.name for c in RESOURCES[self.table]}
        elsewhere = twins(self.table)
        values: dict[str, Any] = {}
        extra = dict(record.extra)
        for name, value in record.values.items():
            column = name if name in columns else elsewhere.get(name, name)
            (values if column in columns else extra)[column] = value
        return replace(record, resource=self.table, values=values, extra=extra)

    def record(self, found: PresetRecord, raw: bytes | None = None) -> Record:
        """A preset's record as one to type. Raises NotTyped when it says when it was known,
        and that is no time.
        """
        fields = self.fields[str(found.resource)]
        values, _ = fields.apply(found.values)
        known_at = to_timestamp(found.extracted_at, Typing())
        stated = self._folders(str(found.resource), values)
        extra = stated | found.extra | self.own_product(found.raw or found.extra)
        return Record(values, extra, raw, extracted_at=known_at)

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
    def from_stored(cls, values: Mapping[str, Any]) -> Plan:
        names = cls.__dataclass_fields__
        return cls(**{name: value for name, value in values.items() if name in names})

    def fingerprint(self, content: str, resource: str) -> str:
        """Identifies an input: its content's hash, the resource, and the options."""
        known_at = self.known_at.isoformat() if self.known_at else None
        options = orjson.dumps([resource, self.stored(), known_at], option=orjson.OPT_SORT_KEYS)
        return f"{content}-{hashlib.sha1(options, usedforsecurity=False).hexdigest()[:16]}"
