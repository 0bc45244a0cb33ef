{# Written by `make schema`; macros/staging/products.sql names and casts. #}
{{ staged_products(operational_sources()) }}
