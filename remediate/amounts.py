"""An amount of hosts: a number (``3``) or a percentage of all (``5%``)."""


def is_amount(text: str, least: int = 0) -> bool:
    """Whether it is written as one, and is at least ``least``, at most 100 % or 100,000 hosts."""
    number, most = text.removesuffix("%"), 100 if text.endswith("%") else 100_000
    return number.isascii() and number.isdigit() and len(number) < 7 and least <= int(number) <= most


def hosts_of(amount: str, total: int) -> int:
    """How many of ``total`` hosts it is, rounded down; a number may be more than ``total``."""
    number = int(amount.removesuffix("%"))
    return total * number // 100 if amount.endswith("%") else number
