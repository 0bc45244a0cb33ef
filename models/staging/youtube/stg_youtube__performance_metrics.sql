{{ staged_performance_metrics(['youtube']) }}
