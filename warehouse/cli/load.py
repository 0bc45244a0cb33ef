"""``ace load SOURCE``: land data from a source."""

from __future__ import annotations

import click

from common.errors import UsageError
from warehouse.cli._lazy import LazyGroup
from warehouse.terminal import echo

#: Source name to its one-line help; the command is ``warehouse.cli.load_<name>``.
SOURCES: dict[str, str] = {
    "files": "CSV, JSON, NDJSON or Parquet files, by table or preset.",
    "supabase": "The operational tables of a Postgres database.",
    "youtube": "Our own channels, charts and searches of YouTube.",
    "tiktok": "Our own posts on TikTok.",
    "tiktok-research": "TikTok videos by keyword, hashtag or user.",
    "instagram": "Own media with their insights, and hashtags, of Instagram.",
    "inbox": "What agents wrote through the repositories.",
    "demo": "A simulated month of ACE with a known truth.",
}


@click.group(
    cls=LazyGroup,
    helps=SOURCES,
    modules="warehouse.cli.load_",
    heading="Sources",
    name="load",
    subcommand_metavar="SOURCE ...",
    invoke_without_command=True,
)
@click.option("--undo", metavar="LOAD", help="Take one load (or heartbeat) out again, by its id.")
@click.pass_context
def command(ctx: click.Context, undo: str | None) -> None:
    """Land data from a source, once and unchanged, in the landing zone.

    --undo takes a load out again: its rows, its rejected records, and retries of those.
    The next build is as if it had never landed. It is kept in $ACE_LANDING/_undone;
    moved back from there, it is landed again.

    \b
    Example: ace load files polls.csv --table performance_metrics
             ace load --undo 019ab1c2-0000-7000-8000-000000000000
    """
    if undo is None:
        if ctx.invoked_subcommand is None:
            raise click.exceptions.NoArgsIsHelpError(ctx)
        return
    if ctx.invoked_subcommand is not None:
        raise UsageError("--undo goes without a source.", "Leave the source out.")
    _undo(undo)


def _undo(load_id: str) -> None:
    from loaders.landing import Landing
    from loaders.landing.undo import undo
    from warehouse.settings import settings

    done = undo(Landing(settings().landing), load_id)
    if done.heartbeat:
        echo(f"Heartbeat {load_id} was taken out.")
    elif not done.loads:
        echo(f"Load {load_id} was taken out before; nothing was left to do.")
    for load in done.loads:
        what = "load" if load.load_id == load_id else "retry of its rejected records, load"
        echo(
            f"Took out {what} {load.load_id}: {load.accepted:,} rows of {load.resource} from "
            f"{load.source}, {load.rejected:,} rejected."
        )
        if load.cursor is not None and load.source == "supabase":
            echo("What it read is read again by: ace load supabase --full")
    echo("Next: 'ace build' builds everything anew without it.")
