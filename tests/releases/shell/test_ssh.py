"""The command lines of ssh, as text."""

from dataclasses import replace
from pathlib import Path

import pytest

from releases.shell import ssh

TARGET = ssh.Target(
    name="web1",
    address="deploy@web1.internal",
    port=2222,
    identity_file="/keys/deploy",
    known_hosts="/var/gantry/known hosts",
    control="/var/gantry/ssh",
)


def option(argv: tuple[str, ...], name: str) -> str:
    """The value of `-o NAME=…`."""
    return next(each.partition("=")[2] for each in argv if each.startswith(f"{name}="))


def test_the_connection_is_opened_once_and_used_by_all():
    opens, talks, asks = ssh.connect(TARGET), ssh.talk(TARGET), ssh.check(TARGET)
    assert {"-M", "-N", "-f"} <= set(opens)
    assert option(talks, "ControlMaster") == "no"
    assert {option(argv, "ControlPath") for argv in (opens, talks, asks)} == {f'"{ssh.socket(TARGET)}"'}


def test_the_host_is_asked_for_a_bash_and_told_nothing_else():
    assert ssh.talk(TARGET)[-3:] == ("--", "deploy@web1.internal", "exec bash -s")


def test_the_port_the_key_and_the_known_keys_are_those_of_the_host():
    argv = ssh.talk(TARGET)
    assert (argv[argv.index("-p") + 1], argv[argv.index("-i") + 1]) == ("2222", "/keys/deploy")
    assert option(argv, "UserKnownHostsFile") == '"/var/gantry/known hosts" ~/.ssh/known_hosts'


def test_without_a_key_ssh_decides_by_its_own_configuration():
    argv = ssh.talk(replace(TARGET, identity_file=""))
    assert "-i" not in argv and "IdentitiesOnly=yes" not in argv


@pytest.mark.parametrize("argv", [ssh.connect(TARGET), ssh.talk(TARGET)])
def test_nobody_is_asked_for_a_password_and_a_dead_line_is_found(argv):
    names = ("BatchMode", "ServerAliveInterval", "ServerAliveCountMax", "StrictHostKeyChecking")
    assert [option(argv, name) for name in names] == ["yes", "5", "3", "accept-new"]


@pytest.mark.parametrize(
    "other", [{"address": "root@web1.internal"}, {"port": 22}, {"identity_file": ""}, {"known_hosts": "/k"}]
)
def test_another_user_port_or_key_is_another_connection(other):
    assert ssh.socket(replace(TARGET, **other)) != ssh.socket(TARGET)


def test_another_name_for_the_same_machine_is_the_same_connection():
    assert ssh.socket(replace(TARGET, name="front")) == ssh.socket(TARGET)


@pytest.mark.parametrize(
    ("var", "folder"),
    [("/srv/gantry/var", "/srv/gantry/var/ssh"), ("/srv/" + "long/" * 20 + "var", "/tmp/gantry-ssh-1000")],
)
def test_the_path_of_a_socket_is_short(var, folder):
    assert ssh.control_folder(Path(var), user=1000) == Path(folder)


def test_what_is_of_this_machine_does_not_go_along():
    names = ["PATH", "HOME", "COLOUR", "TOKEN", "BASH_ENV", "PWD", "SSH_AUTH_SOCK", "odd name", "GANTRY_KEY"]
    assert ssh.going_along(names) == ["COLOUR", "TOKEN", "GANTRY_KEY"]


def test_the_folder_of_a_host_has_a_variable_of_its_own():
    assert ssh.folder_variable("deploy@web-1.ünï") == "GANTRY_FOLDER_deploy_web_1__n_"
