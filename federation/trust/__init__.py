"""Who is who, and how we know."""
