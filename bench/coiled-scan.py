"""One scan of an environment by coiled, in its process: `coiled-scan.py <site-packages> <prefix>`. Prints one line of JSON; nothing is sent."""

import asyncio
import json
import sys
import time
from pathlib import Path

from coiled.scan import scan_prefix

site, prefix = (Path(argument).resolve() for argument in sys.argv[1:])
start = time.perf_counter()
found = asyncio.run(scan_prefix(prefix=prefix, base_prefix=prefix, locations=[site], site_pkgs_paths={site}))
ms = (time.perf_counter() - start) * 1000
names = [package["name"] for package in found]
print(json.dumps({"ms": ms, "packages": sum(name.startswith("package-number-") for name in names)}))
