"""Whether a change of the models changed a row: what was built, saved and compared."""
