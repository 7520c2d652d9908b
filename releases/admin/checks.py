"""Probes, readings and the audit trail: declared in `checks`, shown on our site."""

from checks.admin import PAGES
from releases.admin.site import site

for model, page in PAGES.items():
    site.register(model, page)
