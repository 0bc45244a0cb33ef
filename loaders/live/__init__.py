"""Sources that are asked over HTTP: platforms' APIs and the REST side of Supabase.

A source is a plain program that asks for one page after the other (``source.Source``). Each
answer is kept in a spool before the next is asked for, and what is in the spool lands when the
program has ended, was paused by a quota, or failed. Killed anywhere, the next call runs the same
program again from its beginning: what was answered before comes out of the spool, so nothing is
asked twice but the page that was in flight.
"""
