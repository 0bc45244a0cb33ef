"""The command: runs what is asked for, prints one table, keeps the figures as JSON."""

from __future__ import annotations

import json
import os
import platform
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

import click

from benchmarks.measure import Line, Skip

RESULTS = Path(__file__).resolve().parent / "results"
PARTS = (
    *("landing", "live", "postgres", "build", "increments", "engines", "reads"),
    *("creative", "experiments", "forecasts", "trends"),
    *("times", "tags", "briefs", "outlook", "similar", "large"),
)


@click.command()
@click.argument("parts", nargs=-1, type=click.Choice(PARTS))
@click.option("--rows", default=1_000_000, show_default=True, help="Rows landed, copied and read.")
@click.option("--posts", default=50_000, show_default=True, help="Posts built, for increments.")
@click.option("--large", "with_large", is_flag=True, help="Also build ten million polls.")
@click.option(
    "--upworthy",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="For creative: the whole Upworthy archive as Parquet instead of the bundled arms.",
)
@click.option(
    "--data",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="For forecasts: a folder with the whole news series as CSV instead of the bundled items.",
)
def main(
    parts: tuple[str, ...],
    rows: int,
    posts: int,
    with_large: bool,
    upworthy: Path | None,
    data: Path | None,
) -> None:
    """Measure landing, Postgres, builds, choices, forecasts. Ratios of one run count.

    Example: python -m benchmarks landing --rows 200000
    """
    wanted = parts or (PARTS if with_large else PARTS[:-1])
    click.echo(f"{os.cpu_count()} cores, Python {platform.python_version()}, load {_load()}")
    if os.environ.get("PYTHONDONTWRITEBYTECODE"):
        click.echo("PYTHONDONTWRITEBYTECODE is set: every start-up compiles its imports anew.")
    found: list[Line] = []
    click.echo(f"{'what':<50} {'ours':>9} {'peer':>9} {'ratio':>7} {'limit':>8}  met")
    for part in wanted:
        with tempfile.TemporaryDirectory(prefix="ace-bench-") as folder:
            for line in _safely(part, Path(folder), rows, posts, upworthy, data):
                found.append(line)
                click.echo(_row(line))
    path = _keep(found, rows, posts)
    click.echo(f"Median of 3 unless noted. Load now {_load()}. Figures: {path}")


def _safely(
    part: str, folder: Path, rows: int, posts: int, upworthy: Path | None, data: Path | None
) -> Iterator[Line]:
    """The part's lines; one that says why when its code or tools are not there."""
    try:
        yield from _part(part, posts, upworthy, data)(folder, rows)
    except (Skip, ImportError) as why:
        yield Line(part, skipped=str(why))


def _part(
    part: str, posts: int, upworthy: Path | None, data: Path | None
) -> Callable[[Path, int], Iterator[Line]]:
    if part == "landing":
        from benchmarks import landing

        return landing.lines
    if part == "live":
        from benchmarks import live

        return live.lines
    if part == "postgres":
        from benchmarks import postgres

        return postgres.lines
    if part == "increments":
        from benchmarks import increments

        return lambda folder, rows: increments.lines(folder, posts)
    if part == "engines":
        from benchmarks import engines

        return lambda folder, rows: engines.lines(folder)
    if part == "reads":
        from benchmarks import points

        return points.lines
    if part == "creative":
        from benchmarks import creative

        return lambda folder, rows: creative.lines(folder, upworthy)
    if part == "experiments":
        from benchmarks import experiments

        return lambda folder, rows: experiments.lines(folder)
    if part == "forecasts":
        from benchmarks import forecasts

        return lambda folder, rows: forecasts.lines(folder, data)
    if part == "trends":
        from benchmarks import trends

        return lambda folder, rows: trends.lines(folder)
    if part == "times":
        from benchmarks import times

        return lambda folder, rows: times.lines(folder)
    if part == "tags":
        from benchmarks import tags

        return lambda folder, rows: tags.lines(folder)
    if part == "briefs":
        from benchmarks import briefs

        return lambda folder, rows: briefs.lines(folder)
    if part == "outlook":
        from benchmarks import outlook

        return lambda folder, rows: outlook.lines(folder)
    if part == "similar":
        from benchmarks import similar

        return lambda folder, rows: similar.lines(folder)
    from benchmarks import build

    if part == "build":
        return lambda folder, rows: build.lines(folder)
    return lambda folder, rows: build.large(folder)


def _row(line: Line) -> str:
    if line.skipped is not None:
        return f"{line.name:<50} skipped: {line.skipped}"
    ours = "" if line.ours is None else f"{line.ours:.2f} {line.unit}"
    peer = "" if line.peer is None else f"{line.peer:.2f} {line.unit}"
    ratio = "" if line.ratio is None else f"{line.ratio:.2f}"
    limit = "" if line.limit is None else f"{line.sense} {line.limit:g}"
    met = {True: "yes", False: "NO", None: ""}[line.met]
    return f"{line.name:<50} {ours:>9} {peer:>9} {ratio:>7} {limit:>8}  {met:<3}  {line.note}"


def _load() -> str:
    return f"{os.getloadavg()[0]:.1f}"


def _keep(found: list[Line], rows: int, posts: int) -> Path:
    RESULTS.mkdir(exist_ok=True)
    now = datetime.now(UTC)
    path = RESULTS / f"{now:%Y%m%dT%H%M%SZ}.json"
    values = {
        "at": now.isoformat(),
        "rows": rows,
        "posts": posts,
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "load": os.getloadavg()[0],
        "lines": [asdict(line) | {"met": line.met} for line in found],
    }
    path.write_text(json.dumps(values, indent=2) + "\n", "utf-8")
    return path
