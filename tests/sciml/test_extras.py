import subprocess
import sys

import pytest

from tvilling.sciml.io.extras import MissingExtraError, needs_extra


def test_a_missing_library_is_one_sentence_with_the_extra():
    with pytest.raises(MissingExtraError) as caught, needs_extra("graph"):
        import no_such_library.inner  # noqa: F401
    assert str(caught.value) == (
        "no_such_library is not installed; pip install 'tvilling[graph]' brings it"
    )


def test_a_fault_of_our_own_is_not_hidden():
    with pytest.raises(ModuleNotFoundError) as caught, needs_extra("graph"):
        import tvilling.no_such_module  # noqa: F401
    assert not isinstance(caught.value, MissingExtraError)


def test_the_command_line_says_it_without_a_traceback():
    code = (
        "import tvilling.apps.cli.main as cli\n"
        "from tvilling.sciml.io.extras import MissingExtraError\n"
        "@cli.app.command()\n"
        "def broken(): raise MissingExtraError('panel', 'apps')\n"
        "import sys; sys.argv = ['tvilling', 'broken']; cli.main()\n"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert result.returncode == 2
    assert result.stderr == "panel is not installed; pip install 'tvilling[apps]' brings it\n"
