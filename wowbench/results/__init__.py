"""Records, their aggregation into tables, and comparison with published numbers."""
