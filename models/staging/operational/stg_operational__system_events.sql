{# Written by `make schema`; macros/staging/system_events.sql names and casts. #}
{{ staged_system_events(operational_sources()) }}
