"""Embeddings, and which items are nearest to a vector."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict

from common.errors import UsageError
from loaders.inbox.place import Place
from repositories.columns import nearest
from repositories.models.embeddings import Embedding
from repositories.session import Session
from repositories.table import Table

if TYPE_CHECKING:
    from repositories.vectors import Space, Vectors


class Neighbour(BaseModel):
    """An item near a vector: 1 is the same direction, 0 none in common, -1 the opposite."""

    model_config = ConfigDict(frozen=True)

    reference_type: str
    reference_id: str
    embedding_id: str
    model: str
    cosine: float


class Embeddings(Table[Embedding]):
    """Vectors of scripts, patterns, videos and the rest."""

    def __init__(self, session: Session, place: Place, home: Path) -> None:
        super().__init__(session, place, Embedding)
        self._home = home
        self._vectors: dict[str, Vectors] = {}
        self._opening = threading.Lock()

    def nearest(
        self,
        vector: Sequence[float],
        reference_type: str,
        k: int = 10,
        *,
        model: str | None = None,
    ) -> list[Neighbour]:
        """The ``k`` items of a type whose vectors have the largest cosine with ``vector``.

        Every vector of the release is looked at (of single precision: cosines closer than 1e-6
        are ordered by key), of one model and the dimension of ``vector`` only; ``model`` says
        which, where there are several. The first question for a type makes a file of its
        vectors. Raises UsageError where nothing can be compared, and says what could be.
        """
        from repositories.vectors import unit

        if isinstance(k, bool) or not isinstance(k, int) or k < 1:
            raise UsageError(f"k is {k!r}.", "It must be a whole number from 1.")
        asked = unit(None if isinstance(vector, str | bytes) else vector)
        if asked is None:
            raise UsageError(
                "The vector has no direction.", "Give a list of finite numbers, not all of them 0."
            )
        vectors = self._of(reference_type)
        space = self._space(vectors, reference_type, asked.size, model)
        return [
            Neighbour(
                reference_type=reference_type,
                reference_id=reference,
                embedding_id=embedding,
                model=space.model,
                cosine=cosine,
            )
            for reference, embedding, cosine in vectors.nearest(space, asked, k)
        ]

    def _of(self, reference_type: str) -> Vectors:
        from repositories.vectors import open_vectors

        with self._opening:
            if reference_type not in self._vectors:
                # With a reader of its own: others go on reading meanwhile.
                with self._session.another() as reader:
                    self._vectors[reference_type] = open_vectors(
                        self._home, self._session.release_name(), reference_type, reader
                    )
        return self._vectors[reference_type]

    def _space(
        self, vectors: Vectors, reference_type: str, dimension: int, model: str | None
    ) -> Space:
        if not vectors.spaces:
            sql = "select distinct reference_type from canonical.embeddings order by 1"
            known = [row[0] for row in self._session.query(sql).rows]
            raise UsageError(
                f"This release has no vectors of {reference_type!r}.",
                nearest(str(reference_type), known) if known else "It has no embeddings.",
            )
        there = ", ".join(f"{one.model} with {one.dimension}" for one in vectors.spaces)
        found = [
            one
            for one in vectors.spaces
            if one.dimension == dimension and model in (None, one.model)
        ]
        if not found:
            which = "" if model is None else f" of model {model!r}"
            raise UsageError(
                f"No vector of {reference_type!r}{which} has {dimension} numbers, as the one "
                "asked for; only equal ones can be compared.",
                f"There are: {there}.",
            )
        if len(found) > 1:
            names = ", ".join(one.model for one in found)
            raise UsageError(
                f"Vectors of {reference_type!r} with {dimension} numbers are of several models, "
                "which cannot be compared with each other.",
                f"Say which made yours: model= one of {names}.",
            )
        return found[0]
