"""Find, fix and prove the fix of IIS's 0x80070032 start-up errors on a fleet of servers."""

__version__ = "0.1.0"
