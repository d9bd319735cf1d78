"""What failed in TLS, in the operator's words: by OpenSSL's numbers and reasons, whose texts differ by its version."""

import ssl

from remediate.iis.inspection import one_line

_UNKNOWN_CA = "comes from a certificate authority that is not known here"
_OTHER_NAME = 62
# The numbers of OpenSSL's x509_vfy.h.
_UNTRUSTED = {
    9: "is not valid yet: see the clocks",
    10: "has expired",
    18: "is self-signed",
    19: _UNKNOWN_CA,
    20: _UNKNOWN_CA,
    21: _UNKNOWN_CA,
    23: "was revoked",
    26: "is not one for a server",
    _OTHER_NAME: "is for another name: ansible_host must be a name that stands in it",
    64: "is for another name: it does not hold this IP address, and ansible_host must be a name that stands in it",
    66: "has a key that is too short",
    67: "comes from a certificate authority whose key is too short",
    68: "is signed in a way that is too weak",
}
_BY_CA = (18, 19, 20, 21)

# Parts of OpenSSL's reasons.
_PLAIN = ("WRONG_VERSION_NUMBER", "HTTP_REQUEST", "RECORD_LAYER_FAILURE", "PACKET_LENGTH_TOO_LONG", "BAD_RECORD_TYPE")
_OLD = ("UNSUPPORTED_PROTOCOL", "PROTOCOL_VERSION", "HANDSHAKE_FAILURE", "NO_SHARED_CIPHER", "LEGACY_RENEGOTIATION",
        "DH_KEY_TOO_SMALL", "NO_CIPHERS_AVAILABLE", "INSUFFICIENT_SECURITY")  # fmt: skip
_CLIENT = ("CERTIFICATE_REQUIRED", "ALERT_UNKNOWN_CA", "ALERT_BAD_CERTIFICATE", "ALERT_CERTIFICATE", "ACCESS_DENIED",
           "UNSUPPORTED_CERTIFICATE", "DECRYPT_ERROR")  # fmt: skip
_FILES = ("PEM", "KEY_VALUES_MISMATCH", "NO_START_LINE", "NO_CERTIFICATE_OR_CRL_FOUND")


def untrusted(port: str, error: ssl.SSLCertVerificationError | None) -> str:
    """A server's certificate that was not accepted; without an error it is the name that does not match."""
    number = _OTHER_NAME if error is None else error.verify_code
    what = _UNTRUSTED.get(number, "could not be checked")
    advice = "; name a file with its authority in ansible_winrm_ca_trust_path" if number in _BY_CA else ""
    return f"the certificate of {port} is not trusted: it {what}{advice}"


def tls_failure(port: str, error: ssl.SSLError, by_certificate: bool) -> str:
    """Another failure of TLS; ``by_certificate``: a client certificate was sent."""
    # A certificate's file that is none has its reason in the text alone.
    reason = str(error.reason or str(error).partition("(")[0]).upper().strip().replace(" ", "_")

    def about(words: tuple[str, ...]) -> bool:
        return any(word in reason for word in words)

    if about(_PLAIN):
        return f"{port} speaks plain HTTP, not TLS: set ansible_winrm_scheme: http, or ansible_port to that of HTTPS"
    if about(_OLD):
        return f"{port} and this machine have no TLS version and cipher in common: does it know TLS 1.2?"
    # A server that refuses one breaks the connection, in TLS 1.2 without a word.
    if about(_CLIENT) or (by_certificate and isinstance(error, ssl.SSLEOFError)):
        return f"{port} refused the client certificate, or wants one: see ansible_winrm_cert_pem"
    if about(_FILES):
        return "a certificate's file cannot be used: see ansible_winrm_cert_pem, _cert_key_pem and _ca_trust_path"
    if isinstance(error, ssl.SSLEOFError | ssl.SSLZeroReturnError):
        return f"{port} ended the connection before TLS began: check that it is the HTTPS port"
    return f"TLS with {port} failed ({one_line(reason.replace('_', ' ').lower(), 60) or 'no reason was given'})"
