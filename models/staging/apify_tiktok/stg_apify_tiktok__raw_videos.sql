{{ staged_raw_videos(['apify_tiktok']) }}
