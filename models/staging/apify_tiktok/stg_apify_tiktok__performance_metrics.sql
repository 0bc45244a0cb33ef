{{ staged_performance_metrics(['apify_tiktok']) }}
