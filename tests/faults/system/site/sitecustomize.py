"""Python runs this at the start of every process that has this folder on its path: see `dying`."""

import os

if os.environ.get("DEATHS_FOLDER"):
    from tests.faults.system import deadly

    deadly.install(os.environ["DEATHS_FOLDER"])
