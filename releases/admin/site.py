"""Gantry's admin site, its navigation and its label."""

from unfold.sites import UnfoldAdminSite


class GantrySite(UnfoldAdminSite):
    """The admin site; pages register themselves in the modules beside this one."""


site = GantrySite(name="admin")
