{# Written by `make schema`; macros/staging/creative_patterns.sql names and casts. #}
{{ staged_creative_patterns(operational_sources()) }}
