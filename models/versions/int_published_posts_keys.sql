{{ config(materialized='view') }}

{{ names_of('published_posts', 'post_id') }}
