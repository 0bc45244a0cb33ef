"""Things that callers name by key: there, or a sentence on how to find them."""

from __future__ import annotations

from typing import Any

from agent_server.call import Call
from common.errors import UsageError

_FIND = {
    "products": 'read_table with table="canonical.products" and '
    'filters={"name__contains": "..."} finds its product_id.',
    "published_posts": 'read_table with table="marts.post_performance" and '
    'filters={"external_post_id": "..."} finds its post_id.',
}


def product(call: Call, product_id: str) -> dict[str, Any]:
    """The product; UsageError says how to find one."""
    row = call.warehouse.products.get(product_id)
    if row is None:
        raise UsageError(f"There is no product {product_id}.", _FIND["products"])
    return row.model_dump(mode="json")


def post(call: Call, post_id: str) -> None:
    """UsageError where there is no such post."""
    if call.warehouse.published_posts.get(post_id) is None:
        raise UsageError(f"There is no post {post_id}.", _FIND["published_posts"])
