"""Everything said, sold and clicked in the demo community, written by hand and composed from hand-written pieces.

`build(seed)` gives the same content for the same seed, on any day: times are seconds before "now".
"""

from demo.content.build import build
from demo.content.model import DemoContent

__all__ = ["DemoContent", "build"]
