"""The room that faces the network: the reporters' site and the desks' sync.  It cannot decrypt."""
