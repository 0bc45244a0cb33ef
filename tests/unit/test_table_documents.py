"""What releases say of their tables comes from the project's own documents."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from warehouse.build.documents import column_descriptions, table_documents, thresholds

TEXT = """Every post.
In two lines.
```sql
select 1
from marts.posts
```
Grain: post_id.
"""


def _node(name: str, schema: str, parents: tuple[str, ...] | None = (), text: str = "") -> Any:
    reads = SimpleNamespace() if parents is None else SimpleNamespace(nodes=list(parents))
    return SimpleNamespace(
        unique_id=name,
        name=name,
        alias=None,
        schema=schema,
        resource_type="model",
        description=text,
        group="performance",
        config=SimpleNamespace(meta={"grain": "post_id", "used_by": "Analyst"}),
        depends_on=reads,
        columns={},
    )


def test_a_document_has_prose_example_and_what_it_is_made_from() -> None:
    nodes = {
        node.unique_id: node
        for node in (
            _node("products", "build_canonical"),
            _node("polls", "build_canonical", ("accepted_polls",)),
            _node("accepted_polls", "build_intermediate", ("accepted_others", "source.landed")),
            _node("step", "build_intermediate", ("accepted_polls",)),
            _node("posts", "build_marts", ("step", "products"), TEXT),
            _node("tags", "build_reference", None),
        )
    }
    found = table_documents(SimpleNamespace(nodes=nodes))
    assert [(one.schema, one.table) for one in found] == [
        ("canonical", "polls"), ("canonical", "products"), ("marts", "posts"),
        ("reference", "tags"),
    ]  # fmt: skip
    assert found[0].made_from is None, "a canonical table is made from what landed"
    posts = found[2]
    assert posts.description == "Every post. In two lines."
    assert posts.example == "select 1\nfrom marts.posts"
    assert posts.grain == "post_id"
    assert posts.made_from == "canonical.polls, canonical.products"


def test_thresholds_that_a_text_names_have_their_values() -> None:
    views = thresholds()["min_views"]
    assert int(views) > 1
    node = _node("posts", "build_marts", (), "Under min_views nothing, and min_views is not x.")
    node.columns = {
        "rate": SimpleNamespace(description="Null under min_views (see there); max_count is most."),
        "placed_days": SimpleNamespace(description="Within placed_days."),
    }
    manifest = SimpleNamespace(nodes={"posts": node})
    (table,) = table_documents(manifest)
    assert table.description == f"Under min_views ({views}) nothing, and min_views is not x."
    assert column_descriptions(manifest) == {
        ("marts", "posts", "rate"): (
            "Null under min_views (see there); max_count (10,000,000,000,000,000) is most."
        ),
        ("marts", "posts", "placed_days"): "Within placed_days.",
    }
