"""Where things lie in the run directory."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from waypost.serve.envoy.resources import CLUSTERS, LISTENERS, ROUTE_TABLE

__all__ = ["Layout"]


@dataclass(frozen=True, slots=True)
class Layout:
    """The paths inside ``root``, the absolute path of the run directory."""

    root: Path

    @property
    def bootstrap(self) -> Path:
        """Read once, at the start."""
        return self.root / "bootstrap.json"

    @property
    def clusters(self) -> Path:
        """Watched."""
        return self.root / CLUSTERS.file

    @property
    def listeners(self) -> Path:
        """Watched."""
        return self.root / LISTENERS.file

    @property
    def routes(self) -> Path:
        """Watched."""
        return self.root / ROUTE_TABLE.file

    @property
    def standalone(self) -> Path:
        """All of it in one file, without an admin interface: what is validated, and what any Envoy can run."""
        return self.root / "envoy.json"

    def secret(self, name: str) -> Path:
        """Which certificate files to trust or to show; Envoy watches this one and those."""
        return self.root / f"{name}.json"

    @property
    def admin(self) -> Path:
        """Envoy's admin socket."""
        return self.root / "admin.sock"

    @property
    def log(self) -> Path:
        """What Envoy says."""
        return self.root / "envoy.log"
