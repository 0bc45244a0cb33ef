"""Embeddings, and what is nearest to a vector."""

from __future__ import annotations

from pathlib import Path

from loaders.inbox.place import Place
from repositories.models.embeddings import Embedding
from repositories.session import Session
from repositories.table import Table


class Embeddings(Table[Embedding]):
    """Vectors of scripts, patterns, videos and the rest."""

    def __init__(self, session: Session, place: Place, home: Path) -> None:
        super().__init__(session, place, Embedding)
        self._home = home
