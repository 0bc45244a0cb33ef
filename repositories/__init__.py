"""The only way in and out for programs: read a release, write through validation."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from loaders.inbox.contract import InvalidValue
    from repositories.warehouse import Warehouse

__all__ = ["InvalidValue", "Warehouse"]


def __getattr__(name: str) -> Any:
    """Commands that read a release need no models: they are imported when they are asked for."""
    if name == "Warehouse":
        from repositories.warehouse import Warehouse

        return Warehouse
    if name == "InvalidValue":
        from loaders.inbox.contract import InvalidValue

        return InvalidValue
    raise AttributeError(f"module 'repositories' has no attribute '{name}'")
