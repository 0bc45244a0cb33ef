"""The rows that are measured: one metric poll a line, as an export would have them."""

from __future__ import annotations

from pathlib import Path

#: Column to DuckDB type, as a careful user would give them to ``read_json``.
COLUMNS = {
    "metric_id": "VARCHAR",
    "post_id": "VARCHAR",
    "views": "BIGINT",
    "likes": "BIGINT",
    "comments": "BIGINT",
    "shares": "BIGINT",
    "collected_at": "TIMESTAMPTZ",
}


def write_metrics(path: Path, rows: int) -> Path:
    """NDJSON with ``rows`` polls of a fiftieth as many posts, about 190 bytes a line."""
    import duckdb

    with duckdb.connect() as connection:
        connection.execute("set enable_progress_bar = false")
        connection.execute("set TimeZone = 'UTC'")
        connection.execute(
            f"""copy (
              select uuid()::varchar as metric_id,
                     md5((i % {max(1, rows // 50)})::varchar)::uuid::varchar as post_id,
                     (hash(i) % 5000000)::bigint as views,
                     (hash(i + 1) % 400000)::bigint as likes,
                     (hash(i + 2) % 9000)::bigint as comments,
                     (hash(i + 3) % 20000)::bigint as shares,
                     strftime(timestamp '2026-01-01' + i * interval 2 second,
                              '%Y-%m-%dT%H:%M:%S.%fZ') as collected_at
              from range({rows}) as t(i)
            ) to '{path}' (format json)"""
        )
    return path
