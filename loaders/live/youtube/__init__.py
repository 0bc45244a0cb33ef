"""YouTube: the Data API with a key (videos of everybody, and our own)."""
