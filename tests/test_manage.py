"""`manage.py` on a terminal that knows nothing but ASCII."""

import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings

pytestmark = pytest.mark.django_db(transaction=True)
SHOP = '[service]\nname = "shop"\ntitle = "{title}"\nrepository = "/"\n'
POOR = {"PYTHONIOENCODING": "ascii", "LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"}


@pytest.mark.parametrize("terminal", [{"PYTHONIOENCODING": "ascii"}, POOR])
def test_what_a_terminal_does_not_know_is_a_question_mark(process_environment, tmp_path: Path, terminal):
    path = tmp_path / "shop.toml"
    for title, told in (("Tea", "new: service shop"), ("Tee für Käthe", "title: Tea ? Tee f?r K?the")):
        path.write_text(SHOP.format(title=title), encoding="utf-8")
        seen = subprocess.run(
            [sys.executable, "manage.py", "register_service", str(path)],
            cwd=settings.BASE_DIR,
            env=process_environment | terminal,
            capture_output=True,
            text=True,
            check=False,
        )
        assert (seen.returncode, told in seen.stdout, seen.stderr) == (0, True, ""), seen
