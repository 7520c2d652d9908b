"""A team's Markdown checklist, read into values; pure, no database."""
