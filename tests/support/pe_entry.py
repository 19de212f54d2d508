#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""pe_entry.py IN OUT: a copy of a signed PE file whose certificate entry counts the padding behind it, too.

sbsign and pesign leave the padding out of the entry's length, which the format allows, and osslsigncode 2.5 (Debian 12's) takes
for an invalid signature. The length stands outside of what is signed.
"""
import struct
import sys

PE_POINTER, OPTIONAL_HEADER, SECURITY_DIRECTORY, PE32_PLUS = 0x3C, 24, 4, 0x20B


def main(source, target):
    with open(source, "rb") as file:
        image = bytearray(file.read())
    optional = struct.unpack_from("<I", image, PE_POINTER)[0] + OPTIONAL_HEADER
    directories = optional + (112 if struct.unpack_from("<H", image, optional)[0] == PE32_PLUS else 96)
    entry = struct.unpack_from("<I", image, directories + 8 * SECURITY_DIRECTORY)[0]
    length = struct.unpack_from("<I", image, entry)[0]
    struct.pack_into("<I", image, entry, (length + 7) // 8 * 8)
    with open(target, "wb") as file:
        file.write(image)


if __name__ == "__main__":
    main(*sys.argv[1:])
