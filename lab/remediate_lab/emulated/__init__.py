"""An engine without PowerShell: it knows our own scripts and modules by their hash, and does in Python what they do.

It exists for machines without a PowerShell and for fleets of thousands. It is no proof of the scripts: the same
tests run on the engine `pwsh`, and that keeps this one honest.
"""
