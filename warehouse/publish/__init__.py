"""``ace publish``: the tables of a release in a schema of another Postgres, such as Supabase."""

from warehouse.publish.publication import Publication, publish

__all__ = ["Publication", "publish"]
