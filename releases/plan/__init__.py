"""The plan of a deployment, as values: made, hashed, stored, and asked what comes next. Pure."""
