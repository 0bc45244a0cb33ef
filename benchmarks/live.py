"""Landing from an API page by page: ours against dlt's REST source, the same server for both.

The server answers as the TikTok Research API does, a hundred videos a page, and is ready with
its answers sooner than either asks: what is measured is the loader.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

from benchmarks.measure import Line, Ran, Skip, run_process
from loaders.live.asks import Answer, Ask
from loaders.live.source import Asking, Sending, Source

#: Records a page, the most that the API gives.
PAGE = 100
#: dlt takes half a second for a thousand records: fewer are measured and scaled.
DLT_RECORDS = 50_000


def lines(folder: Path, rows: int) -> Iterator[Line]:
    """Time and memory of ``rows`` records, and what dlt takes for them."""
    try:
        import dlt  # noqa: F401
    except ImportError:
        raise Skip("dlt is not installed (pip install 'ace-warehouse[bench]')") from None
    few = min(rows, DLT_RECORDS)
    ours = _measured("ours", folder, rows)
    theirs = _measured("dlt", folder, few)
    scaled = theirs.seconds * rows / few
    yield Line(
        f"land {rows:,} records from an API vs dlt", ours.seconds, scaled,
        ratio=scaled / ours.seconds, sense=">=", limit=5.0,
        note=f"times as fast; dlt measured once on {few:,}, scaled",
    )  # fmt: skip
    processor = theirs.processor * rows / few
    yield Line(
        "  the same, processor seconds", ours.processor, processor,
        ratio=processor / ours.processor, note="times as fast",
    )  # fmt: skip
    yield Line(
        "  memory at most", ours.peak / 1e9, theirs.peak / 1e9, "GB", ours.peak / 1e9,
        limit=1.0, note=f"ours with {rows:,} records, dlt's with {few:,}",
    )  # fmt: skip


def _measured(loader: str, folder: Path, records: int) -> Ran:
    """One loader in a process of its own, against a server in another."""
    server = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.live", "serve", str(records)],
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert server.stdout is not None
        base = server.stdout.readline().strip()
        home = folder / f"{loader}-{records}"
        home.mkdir(parents=True, exist_ok=True)
        command = [sys.executable, "-m", "benchmarks.live", loader, base, str(home)]
        return run_process(command, {**os.environ, "RUNTIME__DLTHUB_TELEMETRY": "false"})
    finally:
        server.kill()
        server.wait()


class Videos(Source):
    """Every page of one query."""

    name, command, preset = "tiktok_research", "tiktok-research", "tiktok-research"
    per_second = 1e6
    options: dict[str, Any] = {}  # noqa: RUF012

    def __init__(self, base: str) -> None:
        self.base = base

    def program(self, ask: Asking, given: Any, begun_at: datetime) -> None:
        cursor, more = 0, True
        while more:
            data = ask(Ask("/list", {"cursor": str(cursor)})).document["data"]
            cursor, more = data["cursor"], data["has_more"]

    def headers(self, send: Sending) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.secrets()[0]}"}

    def secrets(self) -> list[str]:
        return ["clt.0123456789abcdef"]

    def judge(self, ask: Ask, answer: Answer) -> None:
        """Everything is good here."""


def _ours(base: str, home: Path) -> None:
    from loaders.landing import Landing
    from loaders.live.run import load_live

    result = load_live(Landing(home / "landing"), home, Videos(base))
    if result.error:
        raise SystemExit(result.error)


def _dlt(base: str, home: Path) -> None:
    import dlt
    from dlt.sources.rest_api import rest_api_source

    paginator = {
        "type": "cursor",
        "cursor_path": "data.cursor",
        "cursor_param": "cursor",
        "has_more_path": "data.has_more",
    }
    endpoint = {
        "path": "list",
        "params": {"cursor": "0"},
        "data_selector": "data.videos",
        "paginator": paginator,
    }
    config: Any = {
        "client": {"base_url": base},
        "resources": [{"name": "videos", "endpoint": endpoint}],
    }
    pipeline = dlt.pipeline(
        "bench",
        pipelines_dir=str(home / "state"),
        destination=dlt.destinations.duckdb(str(home / "dlt.duckdb")),
        dataset_name="bench",
    )
    pipeline.run(rest_api_source(config), write_disposition="append")


def _serve(records: int) -> None:
    """Answer until killed; prints the address first."""
    import json
    from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
    from urllib.parse import parse_qs, urlsplit

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_GET(self) -> None:
            cursor = int(parse_qs(urlsplit(self.path).query)["cursor"][0])
            after = min(cursor + PAGE, records)
            videos = [_video(number) for number in range(cursor, after)]
            data = {"videos": videos, "cursor": after, "has_more": after < records}
            body = json.dumps({"data": data, "error": {"code": "ok", "message": ""}}).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            """Nobody reads it."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    print(f"http://127.0.0.1:{server.server_port}", flush=True)
    server.serve_forever()


def _video(number: int) -> dict[str, Any]:
    return {
        "id": 7_300_000_000_000_000_000 + number,
        "create_time": 1_704_499_164 + number,
        "username": f"user{number % 977}",
        "region_code": "US",
        "video_description": f"a video about things, number {number} #funny #cats",
        "music_id": 7_320_768_168_337_967_915,
        "like_count": number % 331,
        "comment_count": number % 17,
        "share_count": number % 7,
        "view_count": 50 * number,
        "hashtag_names": ["funny", "cats"],
        "effect_ids": ["63960564"],
        "video_duration": 15,
    }


if __name__ == "__main__":
    what, *given = sys.argv[1:]
    if what == "serve":
        _serve(int(given[0]))
    elif what == "ours":
        _ours(given[0], Path(given[1]))
    else:
        _dlt(given[0], Path(given[1]))
