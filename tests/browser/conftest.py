"""What pages need before they open."""

from tests.releases.admin.conftest import plain_static_files

__all__ = ["plain_static_files"]
