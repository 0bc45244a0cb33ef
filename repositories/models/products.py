"""Rows of canonical.products. Written by `make schema` from models/canonical."""

from datetime import datetime
from typing import Any

from repositories.row import Row


class Product(Row):
    """Everything ACE makes content about starts with a row here; scripts, experiments and trends
    hang off it.

    Grain: a product.
    """

    TABLE = "products"
    KEY = "product_id"

    #: Key of the product.
    product_id: str
    #: What the product is called.
    name: str
    #: What it is, in the words of where it is sold.
    description: str | None = None
    #: Address of a picture of it.
    image_url: str | None = None
    #: Link that earns a commission when followed.
    affiliate_link: str | None = None
    #: Where the product was found, in lower case.
    source_platform: str
    #: Category it is sold under.
    category: str | None = None
    #: Everything else known about it: brand, price_usd, target_audience, key_features and the
    #: like.
    meta: Any = None
    #: When it was first recorded; where the source does not say, when it was first known.
    created_at: datetime
    #: When this version was written; where the source does not say, created_at.
    updated_at: datetime
