"""Decodes a package without the project's own code: checks, then a summary.

    read_package.py PACKAGE [manifest|sections|KEY]

KEY is one of the manifest's: its value, in one line.
"""

import json
import struct
import sys
import zlib

KINDS = {1: "manifest", 2: "cubin", 3: "ptx"}

data = open(sys.argv[1], "rb").read()
magic, version, count, size, header_crc = struct.unpack_from("<8sIIQI", data)
assert magic == b"FA3PKG\0\0" and version == 1 and size == len(data)
table = data[64 : 64 + 24 * count]
assert data[28:64] == bytes(36), "reserved bytes are zero"
assert zlib.crc32(data[:24] + bytes(4) + data[28:64] + table) == header_crc

sections = {}
end = 64 + len(table)
for i in range(count):
    kind, crc, offset, length = struct.unpack_from("<IIQQ", table, 24 * i)
    assert offset == (end + 63) // 64 * 64, "sections lie one after the other"
    assert data[end:offset] == bytes(offset - end), "padding is zero"
    contents = data[offset : offset + length]
    assert zlib.crc32(contents) == crc
    end = offset + length
    sections[KINDS[kind]] = contents
assert end == len(data)

ptx = sections["ptx"]
assert ptx.endswith(b"\0") and ptx.count(b"\0") == 1
manifest = json.loads(sections["manifest"])
for kernel in manifest["kernels"]:
    assert f".entry {kernel['name']}(".encode() in ptx

what = sys.argv[2] if len(sys.argv) > 2 else "sections"
if what == "manifest":
    print(json.dumps(manifest, indent=1, sort_keys=True))
elif what in manifest:
    print(json.dumps(manifest[what], sort_keys=True))
else:
    print("sections:", *sections)
    print("ptxas:", manifest["compiler"]["ptxas"])
    if "cubin" in sections:
        print("cubin:", sections["cubin"][:4])
