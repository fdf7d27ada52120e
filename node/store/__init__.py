"""The SQLite adapter of the stores."""
