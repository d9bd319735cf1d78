"""Addresses of clients in every spelling, and what only looks like one."""

from ipaddress import IPv6Address

from hypothesis import strategies as st

_V4 = st.one_of(
    st.ip_addresses(v=4).map(str), st.ip_addresses(v=4, network="127.0.0.0/8").map(str),
    st.lists(st.integers(0, 300).map(str), min_size=3, max_size=5).map(".".join),
    st.lists(st.sampled_from(["127", "0", "1", "255", "256", "01", "007", ""]), min_size=4, max_size=4).map(".".join),
)  # fmt: skip


@st.composite
def _v6(draw: st.DrawFn) -> str:
    """An address of IPv6 with groups of one to four digits, any case, `::` for any zeros, its end perhaps as IPv4."""
    known = [1, 0, 0xFFFF_7F00_0001, 0xFFFF_7FFF_FFFF, 0xFFFF_8000_0000, 0xFFFF_7F00_0000, 0x7F00_0001]
    number = draw(st.one_of(st.sampled_from(known), st.integers(0xFFFF_7E00_0000, 0xFFFF_8000_0000), st.integers(0, 9),
                            st.integers(0, 2**128 - 1)))  # fmt: skip
    full = IPv6Address(number).exploded.split(":")
    groups = [g if draw(st.booleans()) else g.lstrip("0") or "0" for g in full]
    tail = ""
    if draw(st.booleans()):
        groups, tail = groups[:6], ".".join(str(byte) for byte in number.to_bytes(16)[12:])
    zeros = [(i, j) for i in range(len(groups)) for j in range(i + 1, len(groups) + 1)
             if not any(int(g, 16) for g in groups[i:j])]  # fmt: skip
    text = ":".join([*groups, tail] if tail else groups)
    run = draw(st.sampled_from([None, *zeros]))
    if run is not None:
        i, j = run
        behind = [*groups[j:], tail] if tail else groups[j:]
        text = ":".join(groups[:i]) + "::" + ":".join(behind)
    return draw(st.sampled_from([text, text.upper(), text.title()]))


_WORDS = ["", "-", " - ", "--", "localhost", "LOCALHOST", "localho\u017ft", "local", "127.1", "::ffff:127.0.0.1%1"]
_JUNK = st.one_of(st.text(alphabet="0127.:%[]fF- \t\nlocahst/\u017f\u212a\u0130", max_size=20), st.sampled_from(_WORDS))
PLAIN = st.one_of(_V4, _v6())
_PORT = st.sampled_from(["", "", ":80", ":65535", ":123456", ":", ":x"])


@st.composite
def addresses(draw: st.DrawFn) -> str:
    """What may stand where a client's address stands."""
    bare = draw(st.one_of(PLAIN, PLAIN, _JUNK))
    zone = draw(st.sampled_from(["", "", "", "%1", "%eth0", "%", "%a%b", "%\u212a"]))
    shaped = draw(st.sampled_from(["{}{}", "[{}{}]", "[{}{}"])).format(bare, zone) + draw(_PORT)
    return draw(st.sampled_from(["", "", " ", "\n"])) + shaped + draw(st.sampled_from(["", "", " ", "\u00a0"]))
