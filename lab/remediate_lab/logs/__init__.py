"""Writers: a history in, the bytes of the files that a server would have, by name. Pure but for `files.write`.

Each file here is one shape. They follow the documented layouts (of the loggers' defaults, of wevtutil, of IIS) and
share nothing with the readers in remediate/diagnose, so that a mistake is not made twice in the same way.
"""
