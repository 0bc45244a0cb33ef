{# Written by `make schema`; macros/staging/trend_snapshots.sql names and casts. #}
{{ staged_trend_snapshots(operational_sources()) }}
