{{ staged_performance_metrics(var('operational_sources')) }}
