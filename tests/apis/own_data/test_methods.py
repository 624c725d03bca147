"""Methods that ``mmmix init`` refuses: the command it names has configs to show."""

from __future__ import annotations

import re

import pytest

from mmmix.apis.own_data.methods import chosen_method
from mmmix.commands.configs import main


@pytest.mark.parametrize('name', ['alignmix', 'boxmix-level', 'boxstack'])
def test_the_command_that_a_refusal_names_finds_configs(name, capsys):
    with pytest.raises(ValueError, match='needs settings of its own') as refused:
        chosen_method(name)
    words = re.search('`mmmix configs (.*?)`', str(refused.value))[1].split()
    assert main(words) == 0
    assert 'mmmix::' in capsys.readouterr().out
