{# Written by `make schema`; macros/staging/experiments.sql names and casts. #}
{{ staged_experiments(operational_sources()) }}
