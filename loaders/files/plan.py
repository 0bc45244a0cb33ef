"""What becomes of a file's records: the options of a call, applied to records."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

from common.errors import UsageError
from loaders.files.mapping import FieldMap, at_path, near
from loaders.files.numbered import keyed
from loaders.files.options import Options
from loaders.files.partitions import in_path
from loaders.records import Record, type_records
from loaders.schema import PRODUCT, RESOURCES, twins
from loaders.values import Typing, to_timestamp

if TYPE_CHECKING:
    import polars as pl

    from loaders.adoption import Adoption
    from loaders.files.increments import Increments
    from loaders.landing import Landing
    from loaders.notices import Notices
    from loaders.presets import Preset, PresetRecord


@dataclass(frozen=True)
class Plan(Options):
    """Options of one call, and how they make records of a table of what a file holds."""

    def __post_init__(self) -> None:
        super().__post_init__()
        _ = self.fields, self.constants

    def adoption(self, landing: Landing, input: str) -> Adoption | None:
        """What makes the products, scripts and experiments of posts that have none."""
        if self.adopt is None:
            return None
        from loaders.adoption import Adoption

        return Adoption(landing, self.adopt, input=input)

    def growth(self, landing: Landing, source: str = "") -> Increments | None:
        """What adds counts up that are growth; ``source`` is where they land, if not as files."""
        if not self.increments:
            return None
        from loaders.files.increments import Increments

        return Increments(landing, source or self.source, self.zone)

    @property
    def taken(self) -> list[str]:
        """Paths of the fields that columns and products are mapped to."""
        return sorted(set(self.maps.values()))

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
        unzoned = "time_zone" in self._preset.options and not self.time_zone
        if unzoned and resource == "published_posts":
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
