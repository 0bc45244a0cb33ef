{{ staged_performance_metrics(['instagram']) }}
