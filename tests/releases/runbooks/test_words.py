"""Headings in other languages and in a team's own words."""

from pathlib import Path

import pytest

from releases.errors import WrongUsage
from releases.runbooks import roles, words
from releases.runbooks.reader import read


@pytest.mark.parametrize(
    ("heading", "role"),
    [
        ("Antes del despliegue", "pre_deployment"),
        ("PASO 3: Verificación", "post_deployment"),
        ("Cuándo revertir", "rollback_triggers"),
        ("Plano de rollback", "rollback_procedure"),
        ("Após a implantação", "post_deployment"),
        ("Pré-requisitos", "pre_deployment"),
        ("Schritt 2: Einspielen", "deployment_steps"),
        ("Nach dem Ausrollen", "post_deployment"),
        ("Abbruchkriterien", "rollback_triggers"),
        ("Étapes de la mise en production", "deployment_steps"),
        ("Retour en arrière", "rollback_procedure"),
        ("Astreinte et escalade", "contacts"),
        ("第一步：部署", "deployment_steps"),
        ("🔄 回滚条件", "rollback_triggers"),
        ("上线前检查清单", "pre_deployment"),
        ("切り戻し手順", "rollback_procedure"),
        ("リリース後の確認", "post_deployment"),
        ("Порядок действий", "deployment_steps"),
        ("Условия отката", "rollback_triggers"),
        ("Контакты дежурных", "contacts"),
        ("Gespräch mit der Presse", "other"),
    ],
)
def test_a_heading_of_another_language_has_its_role(heading: str, role: str) -> None:
    assert roles.role_of(heading) == role


def test_every_role_of_the_languages_is_known() -> None:
    assert [role for role, _ in words.load().others] == [role for role in words.ORDER if role != "other"]


def test_a_team_adds_words_of_its_own(tmp_path: Path) -> None:
    own = tmp_path / "words.toml"
    own.write_text('[house]\nsignoff = ["kapteeni sanoo"]\nother = ["deployment notes"]\n')
    document = read(
        "# Launch\n\n## Kapteeni sanoo kyllä\n\n## Deployment notes\n", words=words.load(str(own))
    )

    assert [heading.role for heading in document.headings] == ["other", "signoff", "other"]


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("[fi", "cannot be read as TOML"),
        ('signoff = ["x"]', "write signoff as a table"),
        ('[fi]\nblessing = ["x"]', "[fi] blessing is no role; there are pre_deployment"),
        ('[fi]\nsignoff = "x"', "[fi] signoff is no list of phrases"),
        ('[fi]\nsignoff = [" "]', "[fi] signoff is no list of phrases"),
    ],
)
def test_what_is_wrong_in_the_file_is_named(tmp_path: Path, text: str, fault: str) -> None:
    own = tmp_path / "words.toml"
    own.write_text(text)

    with pytest.raises(WrongUsage) as raised:
        words.load(str(own))
    assert str(own) in str(raised.value) and fault in str(raised.value)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(WrongUsage, match=r"gone\.toml cannot be read"):
        words.load(str(tmp_path / "gone.toml"))
