{# Written by `make schema`; macros/staging/embeddings.sql names and casts. #}
{{ staged_embeddings(operational_sources()) }}
