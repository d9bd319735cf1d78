"""The packages of the extra `lab`, which an installation may lack."""

from importlib.util import find_spec

from remediate.model import RemediateError

# Import name -> its name on the package index, as in pyproject.toml.
_PACKAGES = {"aiohttp": "aiohttp", "cryptography": "cryptography", "spnego": "pyspnego"}


def check_packages() -> None:
    """RemediateError where one is missing.

    On the package index the name `remediate` is somebody else's: the extra is a checkout's.
    """
    missing = [name for module, name in _PACKAGES.items() if find_spec(module) is None]
    if missing:
        raise RemediateError(
            f"the lab needs packages that are not installed ({', '.join(missing)}): "
            "run `pip install '.[lab]'` in a checkout of remediate"
        )
