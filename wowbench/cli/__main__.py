"""``python -m wowbench.cli``."""

import sys

from wowbench.cli import main

sys.exit(main())
