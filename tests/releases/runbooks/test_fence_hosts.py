"""How a fence names its hosts."""

import pytest

from releases.runbooks import annotations


@pytest.mark.parametrize(
    ("info", "attributes"),
    [
        ("bash {hosts=web1,web2}", {"hosts": "web1,web2"}),
        ("bash {hosts=web1}", {"hosts": "web1"}),
        ("bash {hosts=web* batch=25%}", {"hosts": "web*", "batch": "25%"}),
        ("bash {hosts=web1,web2,batch=2,confirm}", {"hosts": "web1,web2", "batch": "2", "confirm": "true"}),
        ("bash {hosts=web1,web2, timeout=60}", {"hosts": "web1,web2", "timeout": "60"}),
        ("bash {timeout=60,hosts=deploy@web1,web[23]}", {"timeout": "60", "hosts": "deploy@web1,web[23]"}),
        ('bash {hosts="web1, web2"}', {"hosts": "web1, web2"}),
        ("bash {Hosts: web1,web2}", {"hosts": "web1,web2"}),
        ('bash {"hosts": "web1,web2", "batch": 2}', {"hosts": "web1,web2", "batch": "2"}),
        ('bash {"hosts": ["web1", "web2"]}', {"hosts": "web1,web2"}),
        ("bash {host=web1}", {"host": "web1"}),
        ("bash {hosts=web1,web2,confirm}", {"hosts": "web1,web2", "confirm": "true"}),
    ],
)
def test_a_list_of_hosts_is_one_value(info, attributes):
    assert annotations.fence(info)[1] == attributes
    assert list(annotations.faults(attributes)) == []


def test_a_word_that_may_be_a_host_keeps_the_runbook_from_being_published():
    _, attributes = annotations.fence("bash {hosts=web1, web2}")
    assert attributes == {"hosts": "web1", "web2": ""}
    assert [fault.level for fault in annotations.faults(attributes)] == ["error"]
