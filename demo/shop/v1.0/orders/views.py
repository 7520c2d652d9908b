"""The public page and the JSON endpoints."""

import json
import uuid

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_GET, require_http_methods

from orders import catalogue, checkout
from orders.models import Order, Product

MOST = 20


@require_GET
def front_page(request: HttpRequest) -> HttpResponse:
    context = catalogue.answer() | {"version": settings.VERSION, "features": settings.FEATURES}
    return render(request, "front_page.html", context)


@require_GET
def products(request: HttpRequest) -> JsonResponse:
    return JsonResponse(catalogue.answer())


@csrf_exempt
@require_http_methods(["GET", "POST"])
def orders(request: HttpRequest) -> JsonResponse:
    """GET: the latest orders. POST {"product": slug, "quantity": 1..20}: 201 with the order, or 400 with an error."""
    if request.method == "POST":
        return _place(request)
    latest = Order.objects.select_related("product")[:50]
    return JsonResponse({"orders": [checkout.as_json(each) for each in latest]})


@require_GET
def order(request: HttpRequest, order_id: uuid.UUID) -> JsonResponse:
    found = Order.objects.select_related("product").filter(id=order_id).first()
    if found is None:
        return JsonResponse({"error": f"no order {order_id}"}, status=404)
    return JsonResponse(checkout.as_json(found))


def _place(request: HttpRequest) -> JsonResponse:
    try:
        wanted = json.loads(request.body)
        slug, quantity = wanted["product"], wanted.get("quantity", 1)
    except (ValueError, KeyError, TypeError, AttributeError):
        return JsonResponse({"error": 'send {"product": slug, "quantity": number}'}, status=400)
    product = Product.objects.filter(slug=str(slug)).first()
    if product is None:
        return JsonResponse({"error": f"no product {slug!r}"}, status=400)
    if type(quantity) is not int or not 1 <= quantity <= MOST:
        return JsonResponse({"error": f"quantity is 1 to {MOST}, not {quantity!r}"}, status=400)
    return JsonResponse(checkout.as_json(checkout.place(product, quantity=quantity)), status=201)
