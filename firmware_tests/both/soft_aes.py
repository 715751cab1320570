"""AES-128 in Python, with the interface of MicroPython's `cryptolib`: for a runtime without one.

Imports nothing. Encrypts only, which is all that CCM asks for (FIPS 197; SP 800-38A for CBC).
"""


def _boxes():
    """The S-box, and its products with 2, from the powers of 3 in GF(2^8)."""
    power = [0] * 256
    log = [0] * 256
    value = 1
    for exponent in range(255):
        power[exponent] = value
        log[value] = exponent
        value ^= value << 1 ^ (0x11B if value & 0x80 else 0)
    sbox = bytearray(256)
    for byte in range(256):
        inverse = power[(255 - log[byte]) % 255] if byte else 0
        bits = inverse * 0x101  # so that a shift turns
        sbox[byte] = (bits ^ bits >> 4 ^ bits >> 5 ^ bits >> 6 ^ bits >> 7 ^ 0x63) & 0xFF
    doubled = bytearray([box << 1 & 0xFF ^ (0x1B if box & 0x80 else 0) for box in sbox])
    return bytes(sbox), bytes(doubled)


_SBOX, _DOUBLED = _boxes()
_ECB = 1


class aes:
    """`aes(key, mode, iv)` for 16-byte keys, ECB (1) and CBC (2)."""

    def __init__(self, key, mode, iv=None):
        self._chain = None if mode == _ECB else bytes(iv)
        self._rounds = [bytes(key)]
        constant = 1
        for _ in range(10):
            last = self._rounds[-1]
            word = [_SBOX[last[place]] for place in (13, 14, 15, 12)]
            word[0] ^= constant
            constant = constant << 1 ^ (0x11B if constant & 0x80 else 0)
            following = bytearray(16)
            for place in range(16):
                following[place] = last[place] ^ (
                    word[place] if place < 4 else following[place - 4]
                )
            self._rounds.append(bytes(following))

    def encrypt(self, text, into=None):
        """Whole blocks; also into a buffer of the same size."""
        out = bytearray()
        for at in range(0, len(text), 16):
            block = text[at : at + 16]
            if self._chain is not None:
                block = bytes([a ^ b for a, b in zip(block, self._chain)])
            block = self._block(block)
            if self._chain is not None:
                self._chain = block
            out += block
        if into is None:
            return bytes(out)
        into[:] = out
        return into

    def _block(self, block):
        state = bytearray([a ^ b for a, b in zip(block, self._rounds[0])])
        mixed = bytearray(16)
        for number in range(1, 11):
            key = self._rounds[number]
            for column in range(0, 16, 4):
                a, b, c, d = [state[(column + 5 * row) % 16] for row in range(4)]
                if number == 10:
                    four = (_SBOX[a], _SBOX[b], _SBOX[c], _SBOX[d])
                else:
                    every = _SBOX[a] ^ _SBOX[b] ^ _SBOX[c] ^ _SBOX[d]
                    ring = (a, b, c, d, a)
                    four = [
                        every ^ _SBOX[ring[i]] ^ _DOUBLED[ring[i]] ^ _DOUBLED[ring[i + 1]]
                        for i in range(4)
                    ]
                for row in range(4):
                    mixed[column + row] = four[row] ^ key[column + row]
            state, mixed = mixed, state
        return bytes(state)
