"""A small service that really runs, and stand-ins for the outside tools that deploy it."""
