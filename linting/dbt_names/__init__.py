"""sqlfluff's `library_path`: what this module holds is what templates can name.

sqlfluff loads it anew for every file.
"""

import sys as _sys
from pathlib import Path as _Path

if (_root := str(_Path(__file__).resolve().parents[2])) not in _sys.path:
    _sys.path.insert(0, _root)

import linting.context as _context

globals().update(_context.context(_context.current).names)
