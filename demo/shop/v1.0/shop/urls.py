"""Every page of the shop."""

from django.urls import path

from orders import views
from shop import health, stats

urlpatterns = [
    path("", views.front_page),
    path("api/products", views.products),
    path("api/orders", views.orders),
    path("api/orders/<uuid:order_id>", views.order),
    path("health/live", health.live),
    path("health/ready", health.ready),
    path("stats", stats.show),
]
