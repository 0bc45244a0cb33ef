"""TikTok: the Research API (other people's videos) and the Display API (our own posts)."""
