"""Keys for rows that a source numbers in a way of its own, where a uuid belongs.

The key is a function of the source, the resource and the source's own key, so the same row
has the same key in every load, and a reference to it is derived the same way without a look
at the row it means.
"""

from __future__ import annotations

import uuid

from loaders.jsontext import canonical_json

#: The root of every derived key: changing it would give every row another key.
_ROOT = uuid.uuid5(uuid.NAMESPACE_OID, "ace warehouse: keys derived from a source's own")


def derived_key(source: str, resource: str, value: int | str) -> str:
    """The uuid of the row of ``resource`` that ``source`` itself calls ``value``.

    ``source`` says whose numbers these are: two that count by themselves need two names.
    A number and its digits as text are the same key; text counts without the blanks around
    it, otherwise as it is.
    """
    text, _ = canonical_json([source, resource, str(value).strip()])
    return str(uuid.uuid5(_ROOT, text))
