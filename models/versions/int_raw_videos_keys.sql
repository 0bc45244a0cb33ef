{{ config(materialized='view') }}

{{ names_of('raw_videos', 'id') }}
