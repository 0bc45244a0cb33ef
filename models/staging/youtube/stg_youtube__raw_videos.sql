{# Written by `make schema`; macros/staging/raw_videos.sql names and casts. #}
{{ staged_raw_videos(['youtube']) }}
