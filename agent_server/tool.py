"""A tool: a function with documented arguments and a documented answer."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, get_type_hints

from pydantic import ValidationError

from agent_server.answers import Answer, Arguments
from agent_server.call import Call
from common.errors import UsageError
from repositories.columns import nearest


@dataclass(frozen=True)
class Tool:
    """Made by :func:`tool` of a function ``(call, arguments) -> answer`` and its docstring."""

    name: str
    description: str
    arguments: type[Arguments]
    answer: type[Answer]
    run: Callable[[Call, Any], Answer]
    #: Whether it writes; such tools are off unless they are allowed.
    writes: bool = False

    def checked(self, given: dict[str, Any] | None) -> Arguments:
        """The arguments, typed; UsageError for one that is not declared or not right."""
        try:
            return self.arguments.model_validate(given or {})
        except ValidationError as error:
            raise self._wrong(error) from None

    def _wrong(self, error: ValidationError) -> UsageError:
        errors = error.errors(include_url=False, include_context=False)
        # A misspelt name first: that another one is missing comes of it.
        one = min(errors, key=lambda found: found["type"] != "extra_forbidden")
        where = ".".join(str(part) for part in one["loc"])
        declared = list(self.arguments.model_fields)
        if one["type"] == "extra_forbidden":
            return UsageError(f"{self.name} has no argument '{where}'.", nearest(where, declared))
        if one["type"] == "missing":
            about = self.arguments.model_fields[where].description if where in declared else ""
            return UsageError(f"{self.name} needs '{where}'.", about or "")
        shown = repr(one["input"])
        shown = shown if len(shown) < 80 else shown[:77] + "..."
        return UsageError(
            f"{self.name}: '{where}' is {shown}.", f"{one['msg'].rstrip('.').capitalize()}."
        )

    def input_schema(self) -> dict[str, Any]:
        return schema_of(self.arguments.model_json_schema())

    def output_schema(self) -> dict[str, Any]:
        return schema_of(self.answer.model_json_schema(mode="serialization"))


def schema_of(schema: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = _untitled(schema)
    return found


def _untitled(schema: Any) -> Any:
    """Without titles, which say the names of properties once more, and comments on classes."""
    if isinstance(schema, list):
        return [_untitled(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    kept = {name: one for name, one in schema.items() if not _is_title(name, one)}
    if "properties" in kept:
        kept.pop("description", None)
        kept["properties"] = {n: _untitled(one) for n, one in kept["properties"].items()}
    return {name: one if name == "properties" else _untitled(one) for name, one in kept.items()}


def _is_title(name: str, value: Any) -> bool:
    return name == "title" and isinstance(value, str)


def tool(run: Callable[[Call, Any], Answer], *, writes: bool = False) -> Tool:
    """The tool that a function is; its name and description are the function's."""
    hints = get_type_hints(run)
    return Tool(
        run.__name__,
        inspect.getdoc(run) or "",
        hints["asked"],
        hints["return"],
        run,
        writes,
    )
