"""The long runs: a year of a whole treaty on virtual time, and real nodes that are killed."""
