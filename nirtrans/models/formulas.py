"""Systems without networks: nothing to train, nothing to load, named in place of a weights file."""

from nirtrans.models.chroma_system import ChromaSystem
from nirtrans.registry import Registry

FORMULAS: Registry[ChromaSystem] = Registry("formula")
"""What `--weights` may name for pictures whose lightness stays."""
