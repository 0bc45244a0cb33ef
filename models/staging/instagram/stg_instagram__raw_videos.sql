{{ staged_raw_videos(['instagram']) }}
