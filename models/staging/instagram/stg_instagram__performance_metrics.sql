{# Written by `make schema`; macros/staging/performance_metrics.sql names and casts. #}
{{ staged_performance_metrics(['instagram']) }}
