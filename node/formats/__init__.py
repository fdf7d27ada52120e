"""Files of other systems, read into our values."""
