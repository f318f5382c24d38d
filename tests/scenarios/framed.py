"""Records as other programs frame them."""


def octets(content):
    return str(len(content)).encode() + b" " + content


def netstring(content):
    return str(len(content)).encode() + b":" + content + b","


def length(content):
    return len(content).to_bytes(4, "big") + content
