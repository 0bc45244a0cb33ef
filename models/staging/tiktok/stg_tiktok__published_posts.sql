{# Written by `make schema`; macros/staging/published_posts.sql names and casts. #}
{{ staged_published_posts(['tiktok']) }}
