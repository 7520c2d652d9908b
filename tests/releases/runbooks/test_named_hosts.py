"""What a block that names its hosts is, to those who review it."""

import textwrap

import pytest

from releases.runbooks.document import Block, Document
from releases.runbooks.reader import read
from releases.runbooks.steps import terms

TEXT = """
# Shop

## Deployment steps

### 1. Restart (T-0)

```bash {{{attributes}}}
{script}
```

```bash
echo here
```
"""


def document(attributes: str, script: str = "sudo systemctl restart shop") -> Document:
    return read(textwrap.dedent(TEXT).format(attributes=attributes, script=script))


def block(attributes: str, script: str = "sudo systemctl restart shop") -> Block:
    return document(attributes, script).blocks[0]


@pytest.mark.parametrize(
    ("attributes", "host"),
    [("hosts=web1,web2", "web1,web2"), ("hosts=web*", "web*"), ("host=db", "db"), ("", "")],
)
def test_a_block_runs_where_its_fence_says_and_the_next_one_does_not(attributes, host):
    assert [each.host for each in document(attributes).blocks] == [host, ""]


@pytest.mark.parametrize(
    "one", ["hosts=web*", "hosts=web1,web2 batch=1", "hosts=web1,web2 batch=1 health=site"]
)
def test_what_was_decided_falls_with_other_hosts_or_another_batch(one):
    before = "hosts=web1,web2"
    assert terms(block(one)) != terms(block(before))
    assert document(one).steps[-1].key != document(before).steps[-1].key


def test_a_step_on_hosts_begins_careful():
    assert (document("hosts=web*").steps[-1].automation, document("").steps[-1].automation) == (
        "guide",
        "confirm",
    )


def test_a_request_to_this_machine_is_made_on_each_host():
    asks = block("hosts=web*", "curl http://localhost:8000/health")
    assert (asks.kind, asks.host) == ("shell", "web*")


def test_a_fence_that_goes_elsewhere_than_it_says_is_refused():
    found = [problem.id for problem in document("hosts=web*", "ssh deploy@db\necho there").problems]
    assert "mixed-hosts" in found
