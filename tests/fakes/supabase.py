"""A fake of a Supabase project's REST side: PostgREST with its cut, filters and errors."""

from __future__ import annotations

from typing import Any

from tests.fakes.server import Fake, Reply, Request

SECRET_KEY = "sb_secret_fake0123456789"
#: A JSON Web Token whose role is service_role, without a signature that anybody checks.
LEGACY_KEY = "eyJhbGciOiJIUzI1NiJ9.eyJyb2xlIjoic2VydmljZV9yb2xlIn0.c2lnbmF0dXJl"


def error(status: int, code: str, message: str) -> Reply:
    return Reply({"code": code, "details": None, "hint": None, "message": message}, status)


class FakeSupabase(Fake):
    """``tables`` by name, ``cut`` rows at most in an answer, whatever is asked for; more than
    ``patience`` rows take the server too long; ``closed`` tables may not be read.
    """

    def __init__(self, tables: dict[str, list[dict[str, Any]]], *, cut: int = 1000) -> None:
        super().__init__()
        self.tables, self.cut = tables, cut
        self.patience = 10**9
        self.closed: frozenset[str] = frozenset()

    def reply(self, request: Request) -> Reply:
        key, bearer = request.headers.get("apikey"), request.headers.get("authorization")
        if key not in (SECRET_KEY, LEGACY_KEY):
            return Reply({"message": "Invalid API key", "hint": "Double check your key"}, 401)
        if bearer != (f"Bearer {LEGACY_KEY}" if key == LEGACY_KEY else None):
            return error(401, "PGRST301", "Expected 3 parts in JWT; got 1")
        name = request.path.removeprefix("/rest/v1/")
        if name not in self.tables:
            return error(404, "PGRST205", f"Could not find the table 'public.{name}'")
        if name in self.closed:
            return error(403, "42501", f"permission denied for table {name}")
        column = request.query["order"].partition(".")[0]
        rows = self.tables[name]
        if rows and column not in rows[0]:
            return error(400, "42703", f"column {name}.{column} does not exist")
        after = request.query.get(column, "").removeprefix("gt.")
        found = sorted((row for row in rows if _text(row[column]) > _text(after)), key=_by(column))
        limit = int(request.query.get("limit", "1000000"))
        if min(limit, len(found)) > self.patience:
            return error(500, "57014", "canceling statement due to statement timeout")
        given = found[: min(limit, self.cut)]
        span = f"0-{len(given) - 1}/*" if given else "*/*"
        return Reply(given, 200, {"Content-Range": span})


def _text(value: Any) -> str:
    """Numbers in their own order."""
    text = str(value)
    return text.zfill(20) if text.isdigit() else text


def _by(column: str) -> Any:
    return lambda row: _text(row[column])


def product(number: int, **columns: Any) -> dict[str, Any]:
    """A product as PostgREST shows it."""
    return {
        "product_id": f"00000000-0000-4000-8000-{number:012}",
        "name": f"Thing {number}",
        "meta": {"b": 1, "a": [number]},
        "created_at": "2026-11-01T07:00:00+00:00",
    } | columns


def make() -> tuple[Fake, list[str]]:
    """A fake to try by hand, and how."""
    return FakeSupabase({"products": [product(n) for n in range(2500)]}), [
        f"export ACE_SUPABASE_KEY={SECRET_KEY}",
        "ace load supabase --rest {url}",
    ]
