"""``ace mcp``: the warehouse as tools and documents for agents (Model Context Protocol)."""
