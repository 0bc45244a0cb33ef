"""The operational Postgres (Supabase or any other) into the landing zone.

Changes are found by the row version that Postgres keeps itself, so late commits,
updates without a timestamp and foreign keys set to null are all seen, whatever the
rows' own clocks say. Deletes are not: landing keeps what was once true.
"""

from loaders.supabase.load import TableResult, load_supabase

__all__ = ["TableResult", "load_supabase"]
