"""The ``files`` source: CSV, JSON, NDJSON and Parquet files, by table or preset.

One load per file and resource. A file that was landed before with the same content
and options is passed over.
"""

from loaders.files.load import FileResult, load_files
from loaders.files.plan import Plan

__all__ = ["FileResult", "Plan", "load_files"]
