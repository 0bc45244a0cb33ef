"""What agents write: journals under the landing zone's ``inbox``, and how they are landed.

A write is durable when its line is synced to a journal; it takes no lock on the warehouse.
``ace load inbox`` lands the lines as any other source, and removes a journal when it has.
"""

#: The source that the rows land under, and the loader that rejected lines name.
SOURCE = "inbox"
