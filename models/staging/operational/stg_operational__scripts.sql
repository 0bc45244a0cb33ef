{# Written by `make schema`; macros/staging/scripts.sql names and casts. #}
{{ staged_scripts(operational_sources()) }}
