{{ staged_performance_metrics(['yt_dlp']) }}
