{{ config(materialized='view') }}

{{ key_directory('published_posts', 'post_id', ['platform', 'external_post_id']) }}
