"""Where requests go: the admin, health, and the way in."""

from django.urls import path
from django.views.generic import RedirectView

from releases.admin.site import site
from releases.views import live, ready

urlpatterns = [
    path("", RedirectView.as_view(pattern_name="admin:index"), name="home"),
    path("health/live", live, name="live"),
    path("health/ready", ready, name="ready"),
    path("health", ready, name="health"),
    path("admin/", site.urls),
]
