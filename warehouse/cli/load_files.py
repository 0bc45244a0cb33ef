"""``ace load files``: land CSV, JSON, NDJSON and Parquet files."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click

from common.errors import UsageError
from warehouse.cli import _complete
from warehouse.cli._show import note_left_out, plural
from warehouse.terminal import echo, print_json

if TYPE_CHECKING:
    from loaders.files import FileResult


def _pairs(ctx: click.Context, option: click.Parameter, values: tuple[str, ...]) -> dict[str, str]:
    pairs: dict[str, str] = {}
    for value in values:
        name, found, right = value.partition("=")
        name = name.strip()
        if not found or not name:
            raise UsageError(
                f"{option.opts[0]} takes column=value, not '{value}'.",
                f"For example: {option.opts[0]} author=authorMeta.name",
            )
        if name in pairs:
            raise UsageError(f"{option.opts[0]} names '{name}' twice.", "Give it once.")
        pairs[name] = right.strip() if option.name == "maps" else right
    return pairs


@click.command(name="files")
@click.argument("paths", nargs=-1, required=True, metavar="PATH...")
@click.option(
    "--table",
    metavar="T",
    shell_complete=_complete.canonical_tables,
    help="The canonical table the files hold.",
)
@click.option(
    "--preset",
    metavar="P",
    shell_complete=_complete.presets,
    help="A known export (listed below).",
)
@click.option(
    "--map",
    "maps",
    multiple=True,
    metavar="COLUMN=PATH",
    callback=_pairs,
    help="Where a column comes from; paths into nested JSON: author=authorMeta.name.",
)
@click.option(
    "--set",
    "sets",
    multiple=True,
    metavar="COLUMN=VALUE",
    callback=_pairs,
    help="A constant for records without that value.",
)
@click.option("--records", metavar="PATH", help="Where the list of records is in a JSON object.")
@click.option("--encoding", metavar="NAME", help="Encoding of text that is not Unicode: cp1251.")
@click.option("--escape", metavar="CHAR", help="What stands before quotes inside quotes in CSV.")
@click.option("--time-format", metavar="F", help="How dates are written, as in %d/%m/%Y %H:%M.")
@click.option("--time-zone", metavar="Z", help="Zone of dates that state none (default UTC).")
@click.option("--decimal-comma", is_flag=True, help="Numbers in text are written like 1.234,56.")
@click.option(
    "--null",
    "nulls",
    multiple=True,
    metavar="WORD",
    help="A text that stands for unknown, in every column (N/A and the like are "
    "unknown without it where a number, a time or an id belongs).",
)
@click.option("--backfill", is_flag=True, help="Known-at is the record's own time.")
@click.option("--extracted-at", metavar="T", help="Known-at of all records, in ISO 8601.")
@click.option(
    "--adopt",
    metavar="NAME",
    help="Posts that ACE did not make: give those without an experiment one, and a script, "
    "under the product NAME (or --map product=COLUMN).",
)
@click.option("--increments", is_flag=True, help="Counts are growth per row: add them up.")
@click.option("--again", is_flag=True, help="Land a file that was landed before.")
@click.option("--dry-run", is_flag=True, help="Read everything, land nothing, say what would be.")
@click.option("--json", "as_json", is_flag=True, help="Print the results as JSON.")
def command(paths: tuple[str, ...], as_json: bool, **options: Any) -> None:
    """Land CSV, JSON, NDJSON or Parquet files (also .gz and .zst), globs and folders.

    Records nobody can type are kept aside with the reason (ace quarantine list); all
    others land. Known-at is the file's modification time unless an option says
    otherwise. A file landed before with the same content and options is passed over.

    \b
    Tables:  products creative_patterns agent_notes embeddings raw_videos
             trend_snapshots scripts video_assets experiments published_posts
             performance_metrics system_events
    Presets: tiktok-research tiktok-display apify-tiktok youtube-api
             youtube-trending instagram-graph yt-dlp zeeschuimer-tiktok
             tiktok-studio youtube-studio meta-business-suite

    \b
    Example: ace load files polls/*.csv --table performance_metrics
             ace load files posts.csv --table published_posts --adopt 'My shop'
             ace load files scrape.json --table raw_videos --records items \\
                 --map external_id=id --map author=authorMeta.name --set platform=tiktok
             ace load files US_2020.csv --preset youtube-trending --backfill
    """
    from loaders.files import load_files
    from loaders.landing import Landing
    from warehouse.cli.progress import Bytes
    from warehouse.settings import settings

    landing = Landing(settings().landing)
    shown = sys.stderr.isatty() and not as_json
    with Bytes(shown) as bar:
        results = load_files(
            landing,
            paths,
            progress=bar.update if shown else None,
            on_result=None if as_json else lambda result: bar.say(*_lines(result)),
            **options,
        )
    if as_json:
        print_json([result.to_json() for result in results])
    _conclude(results, quiet=as_json)
    note_left_out(landing)
    sys.exit(max((result.exit_code for result in results), default=0))


def _lines(result: FileResult) -> list[str]:
    """The result in a line, what was noticed below it, and last the problem, if any."""
    if result.status == "failed":
        return [f"ace: {result.message}"]
    if result.status == "skipped":
        return [f"{result.input} -> {result.resource}: skipped, {result.message}"]
    if result.made:
        line = f"{result.input} -> {result.resource}: {result.landed:,} "
        if result.status == "dry_run":
            return [line + "would be made for adopted posts"]
        return [line + f"made for adopted posts, load {result.load_id}"]
    line = f"{result.input} -> {result.resource}: {result.read:,} read, "
    if result.status == "dry_run":
        line += f"{result.landed:,} would land, {result.rejected:,} be rejected"
    else:
        line += f"{result.landed:,} landed, {result.rejected:,} rejected, load {result.load_id}"
    if result.null_characters:
        line += f" ({result.null_characters:,} null characters replaced)"
    lines = [line, *(f"  {notice}" for notice in result.notices)]
    return [*lines, f"ace: {result.message}"] if result.message else lines


def _conclude(results: list[FileResult], *, quiet: bool) -> None:
    if quiet:
        for result in results:
            if result.exit_code:
                echo(f"ace: {result.message}", err=True)
        return
    results = [r for r in results if not r.made]
    rejected = sum(r.rejected for r in results)
    if len(results) > 1:
        echo(_totals(results))
    if any(r.status == "dry_run" for r in results):
        echo("Nothing was landed: this was a dry run.")
    elif rejected:
        what = "record was" if rejected == 1 else "records were"
        echo(f"{rejected:,} {what} rejected and kept; see why with: ace quarantine list")


def _totals(results: list[FileResult]) -> str:
    read = [r for r in results if r.status in ("landed", "dry_run")]
    counts = {s: sum(r.status == s for r in results) for s in ("skipped", "failed")}
    numbers = [
        sum(r.read for r in read),
        sum(r.landed for r in read),
        sum(r.rejected for r in read),
    ]
    words = "{}: {:,} read, {:,} landed, {:,} rejected"
    if any(r.status == "dry_run" for r in read):
        words = "{}: {:,} read, {:,} would land, {:,} be rejected"
    others = "".join(f"; {n} {s}" for s, n in counts.items() if n)
    return words.format(plural(len(read), "load"), *numbers) + others + "."
