{{ config(materialized='view') }}

{{ key_directory('performance_metrics', 'metric_id') }}
