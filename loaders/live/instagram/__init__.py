"""Instagram's Graph API: own media and stories with their insights, and hashtags."""

from loaders.live.instagram.source import Instagram

__all__ = ["Instagram"]
