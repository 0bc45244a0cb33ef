"""Landed files that nobody can read, or not to their end: what a build says and does of them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from loaders.landing import Landing


def damaged_rows(landing: Landing) -> Iterator[str]:
    """What is wrong with landed files whose footers are sound but whose rows are not: read
    in full, so only where a build has failed.
    """
    import pyarrow as pa

    from warehouse.quality.survey import schema_problem

    places: dict[str, str] = {
        load.file: f"{load.source}/{load.resource}/{load.file.rsplit('/', 1)[-1]}"
        for load in landing.loads()
    }
    for location, name in places.items():
        try:
            with landing.storage.reader(name) as file:
                problem = schema_problem(file.schema_arrow, name.split("/")[1])
                for _ in file.iter_batches():
                    pass
        except (pa.ArrowException, OSError) as error:
            problem = f"its rows cannot be read ({' '.join(str(error).split())[:160]})"
        if problem is not None:
            yield (
                f"The landed file {location} is damaged: {problem}. Restore it from a copy, or "
                "move it out of the landing zone and load its input again."
            )


def left_out_variable(landing: Landing) -> dict[str, Any]:
    """The dbt variable that keeps files nobody can read out of the build; most often none."""
    files = [one.location for one in landing.left_out()]
    return {"left_out": files} if files else {}
