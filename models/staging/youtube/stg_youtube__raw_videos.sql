{{ staged_raw_videos(['youtube']) }}
