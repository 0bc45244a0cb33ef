"""Rows of canonical.embeddings. Written by `make schema` from models/canonical."""

from datetime import datetime
from typing import Any

from repositories.row import Row


class Embedding(Row):
    """Vectors for similarity search over scripts, patterns, videos and the rest.

    Grain: an embedding.
    """

    TABLE = "embeddings"
    KEY = "embedding_id"

    #: Key of the embedding.
    embedding_id: str
    #: Kind of row it stands for, such as script or raw_video (seeds/reference_types.csv).
    reference_type: str
    #: Key of that row.
    reference_id: str
    #: The vector as text, `[0.1,0.2]`.
    embedding: str
    #: About the vector, such as the model that made it; empty object when nothing is known.
    metadata: Any
    #: When it was made.
    created_at: datetime
