{{ staged_raw_videos(var('operational_sources')) }}
