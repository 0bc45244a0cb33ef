{{ staged_raw_videos(['youtube_trending']) }}
