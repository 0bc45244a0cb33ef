"""Rows of canonical.published_posts. Written by `make schema` from models/canonical."""

from datetime import datetime

from repositories.row import Row


class PublishedPost(Row):
    """Posts that went out, one row per post on a platform.

    Grain: a post: platform, external_post_id.
    """

    TABLE = "published_posts"
    KEY = "post_id"

    #: Key of the post.
    post_id: str
    #: Experiment it belongs to.
    experiment_id: str
    #: Platform in lower case.
    platform: str
    #: The platform's id of the post, as text.
    external_post_id: str
    #: When it went public.
    published_at: datetime
