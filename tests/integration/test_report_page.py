"""The report of the simulated world as people open it: its numbers, its size, in a browser."""

from __future__ import annotations

import contextlib
import html
import json
import re
import shutil
import subprocess
import threading
from collections.abc import Iterator
from functools import partial
from html.parser import HTMLParser
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import duckdb
import pytest

from common.settings import Settings
from repositories.connection import open_release
from warehouse.report.data import gather
from warehouse.report.page import render
from warehouse.report.text import compact, percent, signed, whole

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
#: A phone and a screen, in CSS pixels.
WIDTHS = (390, 1280)
#: Loads the report at every width, and writes down what is wider than it may be.
MEASURE = """<!doctype html><meta charset="utf-8"><title>measure</title><body><script>
const found = {}, widths = WIDTHS;
for (const width of widths) {
  const frame = document.createElement('iframe');
  frame.style = `width:${width}px;height:800px;border:0`;
  frame.onload = () => {
    const page = frame.contentDocument, wide = [];
    for (const one of page.querySelectorAll('body *')) {
      if (one.closest('.skip') || one.closest('thead')) continue;
      const box = one.getBoundingClientRect();
      const scrolls = one.parentElement.closest('.scroll');
      const out = box.right > width + 0.5 && (!scrolls || width < 700);
      const cut = one.matches('.scroll') && one.scrollWidth > one.clientWidth;
      const drawing = one.matches('svg text') && one.closest('svg').getBoundingClientRect();
      const clipped = drawing && (box.right > drawing.right || box.left < drawing.left);
      if (out || cut || clipped) wide.push(one.outerHTML.slice(0, 200));
    }
    const root = page.documentElement;
    found[width] = {wide, scroll: root.scrollWidth, height: root.scrollHeight,
      tall: [...page.querySelectorAll('li, td, .fact')].filter(one =>
        one.getBoundingClientRect().height > 700).length};
    if (Object.keys(found).length == widths.length) {
      const said = document.createElement('pre');
      said.id = 'found'; said.textContent = JSON.stringify(found);
      document.body.replaceChildren(said);
    }
  };
  frame.src = 'report.html';
  document.body.append(frame);
}
</script>"""


class _Tables(HTMLParser):
    """Rows of every table: its caption to each row's cells by their label, '' for the heading."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tables: dict[str, list[dict[str, str]]] = {}
        self.facts: list[str] = []
        self._caption: str | None = None
        self._cell: str | None = None
        self._row: dict[str, str] = {}
        self._tag = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self._tag = tag
        if tag == "caption":
            self._caption = ""
        elif tag == "tr":
            self._row = {}
        elif tag == "td" or (tag == "th" and given.get("scope") == "row"):
            self._cell = given.get("data-label") or ""
            self._row[self._cell] = ""

    def handle_endtag(self, tag: str) -> None:
        if tag in ("td", "th"):
            self._cell = None
        elif tag == "tr" and self._row and self._caption is not None:
            self.tables.setdefault(self._caption, []).append(self._row)

    def handle_data(self, data: str) -> None:
        if self._tag == "caption" and self._caption == "":
            self._caption = data
        elif self._cell is not None:
            self._row[self._cell] = " ".join(f"{self._row[self._cell]} {data}".split())

    def of(self, begins: str) -> list[dict[str, str]]:
        (found,) = (rows for caption, rows in self.tables.items() if caption.startswith(begins))
        return found


@pytest.fixture(scope="module")
def page(demo_release: Settings) -> str:
    with open_release(demo_release.home, None) as reader:
        return render(gather(reader))


def test_it_is_one_file_of_moderate_size_that_fetches_nothing(page: str) -> None:
    assert len(page.encode()) < 1_500_000
    assert not re.search(r"""(src|href)=["'](?!#|data:,")""", page)
    assert "url(" not in page
    assert "@import" not in page
    assert "Simulated data" in page
    assert page.count("<svg") == 3 + 3 + 12


def test_the_weeks_are_those_of_daily_metrics(
    page: str, release: duckdb.DuckDBPyConnection
) -> None:
    found = _Tables(page).of("The last week of each platform")
    rows = release.execute(
        "with days as (select *, max(day) over (partition by platform) as last "
        "from marts.daily_metrics where is_complete) "
        "select platform, sum(views_gained) filter (where day > last - 7), "
        "sum(views_gained) filter (where day <= last - 7 and day > last - 14), "
        "sum(posts_published) filter (where day > last - 7) "
        "from days group by platform order by 2 desc"
    ).fetchall()
    assert len(rows) == 3
    for shown, (platform, views, before, posts) in zip(found, rows, strict=True):
        assert shown[""] == platform
        assert shown["views gained"] == compact(views)
        assert shown["posts"] == whole(int(posts))
        assert shown["week before"].endswith(signed(views / before - 1))
    text = " ".join(html.unescape(re.sub(r"<[^>]+>", " ", page)).split())
    total, before = sum(row[1] for row in rows), sum(row[2] for row in rows)
    assert f"{compact(total)} views gained" in text
    assert f"{signed(total / before - 1)} on the week before" in text


def test_what_leads_and_what_works_have_the_marts_numbers(
    page: str, release: duckdb.DuckDBPyConnection
) -> None:
    tables = _Tables(page)
    verdicts = release.execute(
        "select status, platform, log_views_n, shrunk_views_lift, views_lift_lo, views_lift_hi "
        "from marts.experiment_results where status in ('leading', 'losing') "
        "order by status, shrunk_views_lift desc"
    ).fetchall()
    assert verdicts
    shown = tables.of("Experiments that lead")
    assert [
        (row["status"], row["platform"], row["posts / others"].split()[0],
         row["views against others"]) for row in shown if row["status"] != "inconclusive"
    ] == [
        (status, platform, str(n), f"{signed(lift)} {signed(low)} to {signed(high)}")
        for status, platform, n, lift, low, high in verdicts
    ]  # fmt: skip
    patterns = release.execute(
        "select lift_posts, shrunk_lift, lift_lo, lift_hi from marts.creative_pattern_performance "
        "where platform = 'all' and lift_posts > 0 order by rank limit 8"
    ).fetchall()
    assert [(row["posts"], row["views against usual"]) for row in tables.of("The best by")] == [
        (str(n), f"{signed(lift)} {signed(low)} to {signed(high)}")
        for n, lift, low, high in patterns
    ]
    accuracy = release.execute(
        "select n, median_ape from marts.forecast_accuracy where platform = 'all' and n > 0 "
        "order by from_hours, target_hours"
    ).fetchall()
    assert [(row["posts"], row["error"]) for row in tables.of("Views forecast from one age")] == [
        (whole(n), percent(ape)) for n, ape in accuracy
    ]


@pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium")
def test_a_browser_shows_it_without_a_word_and_nothing_is_wider_than_the_screen(
    page: str, tmp_path: Path
) -> None:
    (tmp_path / "report.html").write_text(page, "utf-8")
    (tmp_path / "measure.html").write_text(MEASURE.replace("WIDTHS", json.dumps(WIDTHS)))
    with _served(tmp_path) as (address, asked):
        done = subprocess.run(
            [
                str(CHROMIUM), "--headless", "--no-sandbox", "--disable-gpu", "--disable-sync",
                "--no-first-run", "--disable-background-networking", "--disable-component-update",
                "--enable-logging=stderr", "--virtual-time-budget=5000", "--window-size=1800,1000",
                f"--user-data-dir={tmp_path / 'profile'}", "--dump-dom",
                f"{address}/measure.html",
            ],
            capture_output=True, text=True, timeout=120, check=False,
        )  # fmt: skip
    said = re.search(r'<pre id="found">(.*?)</pre>', done.stdout, re.S)
    assert said, done.stderr[-2000:]
    found: dict[str, Any] = json.loads(html.unescape(said[1]))
    for width in WIDTHS:
        measured = found[str(width)]
        assert measured["wide"] == []
        assert measured["scroll"] <= width
        assert measured["tall"] == 0
    assert [line for line in done.stderr.splitlines() if "CONSOLE" in line] == []
    assert set(asked) <= {"/measure.html", "/report.html", "/favicon.ico"}


@contextlib.contextmanager
def _served(folder: Path) -> Iterator[tuple[str, list[str]]]:
    """The folder on a port of this machine, and what was asked for."""
    asked: list[str] = []

    class Handler(SimpleHTTPRequestHandler):
        def log_message(self, *arguments: Any) -> None:
            asked.append(self.path)

    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=str(folder)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", asked
    finally:
        server.shutdown()
        server.server_close()
