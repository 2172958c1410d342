"""Reads a kernel package and writes it with another manifest (see docs/abi.md)."""

import json
import struct
import zlib

HEADER = struct.Struct("<8sIIQI36x")
SECTION = struct.Struct("<IIQQ")
ALIGNMENT = 64
MANIFEST, PTX = 1, 3


class Package:
    def __init__(self, data):
        magic, self.version, count, _, _ = HEADER.unpack_from(data)
        if magic != b"FA3PKG\0\0":
            raise ValueError("not a kernel package")
        self.sections = []
        for i in range(count):
            kind, _, offset, size = SECTION.unpack_from(data, HEADER.size + i * SECTION.size)
            self.sections.append((kind, data[offset:offset + size]))

    def content(self, kind):
        return next(content for k, content in self.sections if k == kind)

    def ptx(self):
        return self.content(PTX).rstrip(b"\0").decode()

    def manifest(self):
        return json.loads(self.content(MANIFEST))

    def with_manifest(self, manifest):
        """The bytes of the same package with this manifest."""
        text = json.dumps(manifest).encode()
        contents = [(kind, text if kind == MANIFEST else content) for kind, content in self.sections]
        offset = HEADER.size + len(contents) * SECTION.size
        table, body = b"", b""
        for kind, content in contents:
            padding = -offset % ALIGNMENT
            offset += padding
            body += bytes(padding) + content
            table += SECTION.pack(kind, zlib.crc32(content), offset, len(content))
            offset += len(content)
        fields = (b"FA3PKG\0\0", self.version, len(contents), offset)
        crc = zlib.crc32(HEADER.pack(*fields, 0) + table)
        return HEADER.pack(*fields, crc) + table + body
