"""Every way in which secret bytes could show up in what a program says."""

import base64

WORD = 8  # What is looked for: any 64 bits of a secret, so that half of one is found as well.


def _base64_core(word, before):
    """What base64 makes of these bytes behind so many others, without the characters that others have a part in."""
    text = base64.b64encode(bytes(before) + word).rstrip(b"=")
    first = -(-before * 8 // 6)
    last = (before + len(word)) * 8 // 6
    return text[first:last]


def _of_word(word):
    yield word
    for number in (int.from_bytes(word, "little"), int.from_bytes(word, "big")):
        yield b"%016x" % number
        yield b"%016X" % number
        yield b"%d" % number
        yield b"%d" % (number - 2**64)  # As a signed one; of a small number it is no different.
    for before in range(3):
        core = _base64_core(word, before)
        yield core
        yield core.translate(bytes.maketrans(b"+/", b"-_"))


def renderings(secret):
    """As bytes, in hexadecimal, in base64 and its form for addresses, and in decimal, in either order of the bytes: each
    64 bits of it, and the whole as a number."""
    found = set()
    for at in range(0, len(secret) - WORD + 1, WORD):
        found.update(_of_word(secret[at:at + WORD]))
    for order in ("little", "big"):
        found.add(b"%d" % int.from_bytes(secret, order))
    return found


def count(secret, text):
    """How often any rendering of it occurs."""
    return sum(text.count(rendering) for rendering in renderings(secret))


def of_order(order):
    """Of a permutation: as a list in any punctuation, in hexadecimal and as bytes, and the same of its inverse."""
    found = set()
    for numbers in (order, [order.index(place) for place in range(len(order))]):
        for separator in (",", ", ", " ", ":", "-", ";", "/"):
            found.add(separator.join(map(str, numbers)).encode())
        found.add(('"' + "".join(map(str, numbers)) + '"').encode())
        found.add(bytes(numbers))
        found.add(bytes(numbers).hex().encode())
    return found
