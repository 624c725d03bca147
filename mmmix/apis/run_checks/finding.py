"""What a check found, and how it is told."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

OK, WARNING, FAULT = 'ok', 'warning', 'FAULT'

RAISED = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    ImportError,
    LookupError,
    OSError,
    RuntimeError,  # of mmpretrain too, where data are not there
    SyntaxError,  # of broken XML too
    TypeError,
    ValueError,
)
"""What a config or data that do not fit may lead to, in mmdet too."""

_WIDTH = 88
_INDENT = ' ' * 9


@dataclass(frozen=True)
class Finding:
    """One line of a report.

    Attributes:
        level: ``OK``, ``WARNING`` (training makes sense all the same) or ``FAULT``.
        check: What was looked at.
        text: What was found, with files.
        fix: What to do; empty if nothing, or if the text says it.
    """

    level: str
    check: str
    text: str
    fix: str = ''


def is_sound(findings: Iterable[Finding]) -> bool:
    """Whether training makes sense."""
    return all(finding.level != FAULT for finding in findings)


def as_table(findings: Sequence[Finding]) -> str:
    """A report to be read: faults and warnings with what to do."""
    lines = [line for finding in findings for line in _lines(finding)]
    faults = sum(finding.level == FAULT for finding in findings)
    warnings = sum(finding.level == WARNING for finding in findings)
    verdict = f'{faults} fault{"s" * (faults != 1)}, '
    verdict += f'{warnings} warning{"s" * (warnings != 1)}: '
    verdict += 'mend the faults before training' if faults else 'ready to train'
    return '\n'.join([*lines, '', verdict])


def as_json(findings: Sequence[Finding]) -> dict[str, Any]:
    """A report for programs."""
    return dict(
        sound=is_sound(findings), findings=[asdict(finding) for finding in findings]
    )


def _lines(finding: Finding) -> list[str]:
    """A finding in lines of the terminal."""
    first, *others = finding.text.splitlines() or ['']
    wrap = textwrap.TextWrapper(
        _WIDTH,
        subsequent_indent=_INDENT,
        break_long_words=False,
        break_on_hyphens=False,
    )
    lines = wrap.wrap(f'{finding.level:8} {finding.check}: {first}')
    lines += [f'{_INDENT}{other}' for other in others]
    if finding.fix:
        wrap.initial_indent = f'{_INDENT}-> '
        wrap.subsequent_indent = f'{_INDENT}   '
        lines += wrap.wrap(finding.fix)
    return lines
