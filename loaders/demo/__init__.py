"""A simulated ACE month with a known truth: everything here is made up and says so.

:func:`simulate` makes a :class:`World` from a seed, :func:`load_demo` lands it in a
few loads and writes the truth beside it, so that tests can ask whether the
warehouse finds what was planted.
"""

from loaders.demo.land import DemoLoad, load_demo
from loaders.demo.remove import Removed, remove_demo
from loaders.demo.world import World, simulate

__all__ = ["DemoLoad", "Removed", "World", "load_demo", "remove_demo", "simulate"]
