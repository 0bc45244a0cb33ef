{# Written by `make schema`; macros/staging/video_assets.sql names and casts. #}
{{ staged_video_assets(operational_sources()) }}
