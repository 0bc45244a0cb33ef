"""Inputs with one thing changed: nothing but a sentence comes out, and what the change did
not touch lands as before. `make fuzz` tries ten thousand and more.
"""

from __future__ import annotations

import traceback
from pathlib import Path

import pytest

from tests.support.examples import examples
from tests.support.mutated import judge, mutation

#: Inputs tried in one test.
PORTION = 150
PORTIONS = examples(10)


@pytest.mark.parametrize("portion", range(PORTIONS))
def test_a_change_costs_what_it_touches(portion: int, tmp_path: Path) -> None:
    wrong = []
    for seed in range(portion * PORTION, (portion + 1) * PORTION):
        changed = mutation(seed)
        try:
            problem = judge(changed, tmp_path)
        except Exception:
            problem = traceback.format_exc(limit=-4)
        if problem:
            wrong.append(
                f"seed {seed}, {changed.base.name} as {changed.form}, {changed.what}\n{problem}\n"
                f"{changed.data[:3000]!r}"
            )
    assert not wrong, f"{len(wrong)} of {PORTION}:\n" + "\n\n".join(wrong[:3])
