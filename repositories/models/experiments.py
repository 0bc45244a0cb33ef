"""Rows of canonical.experiments. Written by `make schema` from models/canonical."""

from datetime import datetime

from repositories.row import Row


class Experiment(Row):
    """One try at a product: usually one script, one video, one or more posts.

    Grain: a creative experiment.
    """

    TABLE = "experiments"
    KEY = "experiment_id"

    #: Key of the experiment.
    experiment_id: str
    #: Product tried.
    product_id: str
    #: Script used; null when it was deleted.
    script_id: str | None = None
    #: Video used; null when it was deleted.
    asset_id: str | None = None
    #: When it was set up.
    created_at: datetime
