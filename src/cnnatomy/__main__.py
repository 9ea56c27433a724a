"""`python -m cnnatomy`: the command `cnnatomy`."""

import sys

from cnnatomy.cli.main import main

sys.exit(main())
