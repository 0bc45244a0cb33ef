{{ staged_raw_videos(['yt_dlp']) }}
