"""Logs that would be followed for ever become a look at their last lines."""

import pytest

from checks.gates.process import capture
from releases.runbooks.typed import never_ends
from releases.shell.bash import argv
from releases.shell.logs import bounded


@pytest.mark.parametrize(
    ("text", "look"),
    [
        ("tail -f /var/log/app.log", "tail -n 200 /var/log/app.log"),
        ("tail -F -n 50 /var/log/app.log", "tail -n 200 /var/log/app.log"),
        ("tail -100f app.log", "tail -n 200 app.log"),
        ("tail -fn100 app.log", "tail -n 200 app.log"),
        ("tail -fn 100 app.log", "tail -n 200 app.log"),
        ("tail -n100 -f app.log", "tail -n 200 app.log"),
        ("tail --follow=name --retry a.log b.log", "tail -n 200 a.log b.log"),
        ("sudo tail -f logs/*.log", "sudo tail -n 200 logs/*.log"),
        ("less +F app.log", "tail -n 200 app.log"),
        ("journalctl -u shop -f", "journalctl --no-pager -n 200 -u shop"),
        ("sudo journalctl -fu shop", "sudo journalctl --no-pager -n 200 -u shop"),
        ("journalctl -xef", "journalctl --no-pager -n 200 -xe"),
        ("journalctl --follow --unit=shop --since today", "journalctl --no-pager -n 200 --unit=shop --since today"),
        ("docker logs -f shop", "docker logs --tail 200 shop"),
        ("docker logs --tail=10 --follow shop", "docker logs --tail 200 shop"),
        ("docker compose -f prod.yml logs -f web", "docker compose -f prod.yml logs --tail 200 web"),
        ("docker-compose logs -f", "docker-compose logs --tail 200"),
        ("kubectl logs -f deploy/shop -n tea", "kubectl logs --tail=200 deploy/shop -n tea"),
        ("kubectl get pods -w", "kubectl get pods"),
        ("pm2 logs shop", "pm2 logs --nostream --lines 200 shop"),
        ("heroku logs --tail -a shop", "heroku logs -n 200 -a shop"),
        ("kamal app logs -f", "kamal app logs -n 200"),
        ("stern shop", "stern --no-follow --tail 200 shop"),
        ("sudo supervisorctl tail -f shop stderr", "sudo supervisorctl tail shop stderr"),
        ("vercel logs shop.example.com --follow", "vercel logs shop.example.com"),
        ("fly logs", "fly logs --no-tail"),
        ("watch -n 5 df -h", " df -h"),
        ("tail -f app.log | grep --line-buffered checkout", "tail -n 200 app.log | grep --line-buffered checkout"),
        ("cd /srv && tail -f app.log", "cd /srv && tail -n 200 app.log"),
        ("tail -f app.log # the new one", "tail -n 200 app.log # the new one"),
        ("echo 'tail -f app.log'", "echo 'tail -f app.log'"),
        ("# tail -f app.log", "# tail -f app.log"),
        ("grep checkout app.log | tail -50", "grep checkout app.log | tail -50"),
        ("./detail -f app.log", "./detail -f app.log"),
    ],
)  # fmt: skip
def test_a_follow_becomes_a_look(text, look):
    assert bounded(text) == look


@pytest.mark.parametrize(
    ("text", "code", "out"),
    [
        ("tail -f app.log", 0, "fine\nready\n"),
        ("tail -f app.log | grep ERROR", 0, ""),
        ("tail -f app.log | grep ERROR\ntail -f bad.log", 0, "ERROR: broken\n"),
        ("tail -f bad.log \\\n  | grep -i error\ntail -f app.log", 1, "ERROR: broken\n"),
        ("tail -f app.log |\n  grep ready", 0, "ready\n"),
        ("tail -f missing.log", 1, ""),
        ("watch cat app.log", 0, "fine\nready\n"),
    ],
)
def test_the_look_ends(tmp_path, text, code, out):
    (tmp_path / "app.log").write_text("fine\nready\n")
    (tmp_path / "bad.log").write_text("ERROR: broken\n")
    seen = capture(argv(bounded(text), handed_on=str(tmp_path / "set")), cwd=str(tmp_path), timeout=10)
    assert (seen.code, seen.out) == (code, out), seen


def test_only_the_last_lines_are_shown(tmp_path):
    (tmp_path / "app.log").write_text("".join(f"{number}\n" for number in range(1000)))
    seen = capture(argv(bounded("tail -f app.log"), handed_on=str(tmp_path / "set")), cwd=str(tmp_path))
    assert (seen.out.split()[0], len(seen.out.split())) == ("800", 200)


@pytest.mark.parametrize(
    "line",
    [
        "tail -f a.log", "tail -n 20 -F a.log b.log", "journalctl -xfu shop", "docker logs --follow shop",
        "docker-compose logs -f web", "kubectl -n tea logs -f deploy/shop", "heroku logs --tail", "pm2 logs",
        "vercel logs --follow", "railway logs -f", "stern shop", "fly logs", "kamal logs -f",
        "sudo supervisorctl tail -f shop",
    ],
)  # fmt: skip
def test_what_the_reader_knows_to_be_endless_comes_to_an_end(line):
    assert never_ends(line)
    assert not never_ends(bounded(line)) or "--no-" in bounded(line) or "--tail" in bounded(line)
