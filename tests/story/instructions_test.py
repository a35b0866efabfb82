# SPDX-License-Identifier: Apache-2.0
"""The gate of the packet path: instructions per packet are not more than bench/instructions.json says, but for 3 %."""
import subprocess
import sys

import pytest

import weir

SKIPPED = 77


@pytest.mark.timeout(800)  # half a minute of work, on a machine that may be busy
@pytest.mark.skipif(weir.IS_SANITIZED, reason='sanitizers count too')
def test_no_row_takes_more_instructions_than_recorded():
    done = subprocess.run([sys.executable, weir.PROJECT / 'bench/instructions.py', '--weir', weir.WEIR], capture_output=True,
                          text=True)
    if done.returncode == SKIPPED:
        pytest.skip(done.stdout.strip())
    assert done.returncode == 0, done.stdout + done.stderr
