"""The lab's clock: what happens on a server when hours pass. Pure: settings, requests and a seed in, a history out.

The rules are those of IIS that are documented; where none is known, a rule's docstring says that the lab made it up.
Nothing here is evidence of what Windows does: it is what the readers and the diagnosis are tried on, with the truth
known.
"""
