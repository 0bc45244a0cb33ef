"""The only way in and out for programs: read a release, write through validation."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from repositories.warehouse import Warehouse

__all__ = ["Warehouse"]


def __getattr__(name: str) -> Any:
    """Commands that read a release need no models: they are imported when they are asked for."""
    if name == "Warehouse":
        from repositories.warehouse import Warehouse

        return Warehouse
    raise AttributeError(f"module 'repositories' has no attribute '{name}'")
