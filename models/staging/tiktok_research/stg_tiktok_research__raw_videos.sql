{{ staged_raw_videos(['tiktok_research']) }}
