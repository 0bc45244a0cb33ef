"""Groups that list their commands without importing them: ``--help`` stays instant."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import Any

import click


class LazyGroup(click.Group):
    """Command name to one-line help; each is ``<modules><name>``, exposing ``command``."""

    def __init__(
        self, *args: Any, helps: Mapping[str, str], modules: str, heading: str, **options: Any
    ) -> None:
        super().__init__(*args, **options)
        self._helps = helps
        self._modules = modules
        self._heading = heading

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self._helps)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name not in self._helps:
            return None
        module = importlib.import_module(f"{self._modules}{name.replace('-', '_')}")
        command: click.Command = module.command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in self._helps and not args[0].startswith("-"):
            # click knows near names only among commands that were imported.
            what = self._heading.removesuffix("s").lower()
            raise click.exceptions.NoSuchCommand(
                args[0], f"There is no {what} '{args[0]}'.", possibilities=self._helps, ctx=ctx
            )
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section(self._heading):
            formatter.write_dl(list(self._helps.items()))
