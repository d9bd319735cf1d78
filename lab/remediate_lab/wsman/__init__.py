"""The lab's WS-Management (WinRM) service: what pywinrm and Ansible's ``winrm`` connection talk to.

soap and replies are the envelopes, faults what can be refused, auth who may ask and how messages are sealed,
shells the shells and their commands, server the listeners. ``WsmanServer`` is the way in.
"""

from remediate_lab.wsman.server import WsmanServer

__all__ = ["WsmanServer"]
