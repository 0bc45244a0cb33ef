"""Landing zone and one module per source: everything that brings data in."""
