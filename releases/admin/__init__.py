"""The admin: declared pages; no query logic, no effect of its own."""
