{# Written by `make schema`; macros/staging/agent_notes.sql names and casts. #}
{{ staged_agent_notes(operational_sources()) }}
