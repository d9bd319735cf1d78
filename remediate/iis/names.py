"""How IIS's names compare: by the rule that stands in the collection, whose plugins need it too."""

from collections.abc import Callable

from remediate.collection import plugin_util

# A name -> the form in which names compare without case.
iis_key: Callable[[str], str] = plugin_util("names").iis_key
