"""The demo: two small real services, their runbooks, and the main job run on them."""
