{{ staged_performance_metrics(['tiktok']) }}
