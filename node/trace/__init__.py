"""A Party's own traceability data: values and rules, no database."""
