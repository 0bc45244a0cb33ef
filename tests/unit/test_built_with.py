"""When the project changed, rows of the version before must not stay."""

from __future__ import annotations

from pathlib import Path

from warehouse.build.built_with import BuiltWith


def test_a_first_build_adds_to_nothing(tmp_path: Path) -> None:
    assert not BuiltWith(tmp_path).is_other("a", released=None)


def test_another_project_starts_anew(tmp_path: Path) -> None:
    built = BuiltWith(tmp_path)
    built.begin("a", anew=False)
    built.finish("a")
    assert not built.is_other("a", released=None)
    assert built.is_other("b", released="b")


def test_a_rebuild_that_did_not_finish_is_done_again(tmp_path: Path) -> None:
    built = BuiltWith(tmp_path)
    built.finish("a")
    built.begin("b", anew=True)
    assert built.is_other("b", released="a")
    assert built.is_other("a", released="a")
    built.finish("b")
    assert not built.is_other("b", released="a")


def test_elsewhere_the_release_tells(tmp_path: Path) -> None:
    assert BuiltWith(tmp_path).is_other("b", released="a")
    assert not BuiltWith(tmp_path).is_other("a", released="a")
