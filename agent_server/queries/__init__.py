"""One SELECT that an agent wrote, run where it can do no harm: read-only by the engine, in a
process of its own that is ended when it takes too long or too much.
"""
