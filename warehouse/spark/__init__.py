"""The engine for what outgrows one machine: a session, what builds begin with, where tables are."""
