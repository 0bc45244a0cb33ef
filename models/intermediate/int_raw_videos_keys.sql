{{ config(materialized='view') }}

{{ key_directory('raw_videos', 'id') }}
