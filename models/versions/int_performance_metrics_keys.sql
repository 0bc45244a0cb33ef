{{ config(materialized='view') }}

{{ names_of('performance_metrics', 'metric_id') }}
