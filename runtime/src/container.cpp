//===- container.cpp - The file around a package's sections ---------------===//

#include "container.h"

#include "invalid_package.h"

#include "fa3/runtime/abi.h"

#include <algorithm>
#include <bit>
#include <cstring>

namespace fa3 {

static_assert(std::endian::native == std::endian::little,
              "packages are little endian and read in place");

static std::string text(uint64_t value) { return std::to_string(value); }

static fa3_file_header parseHeader(std::string_view file) {
  fa3_file_header header;
  if (file.size() < FA3_MAGIC_SIZE ||
      std::memcmp(file.data(), FA3_MAGIC, FA3_MAGIC_SIZE) != 0)
    throw InvalidPackage("not a kernel package: the file does not begin with "
                         "'FA3PKG'");
  if (file.size() < sizeof(header))
    throw InvalidPackage("truncated: " + text(file.size()) +
                         " bytes, but the header alone has " +
                         text(sizeof(header)));
  std::memcpy(&header, file.data(), sizeof(header));
  if (header.version != FA3_FILE_VERSION)
    throw InvalidPackage("package version " + text(header.version) +
                         ", but this runtime reads version " +
                         text(FA3_FILE_VERSION));
  if (header.file_size != file.size())
    throw InvalidPackage(
        std::string(header.file_size > file.size() ? "truncated" : "corrupt") +
        ": the header says " + text(header.file_size) +
        " bytes, but there are " + text(file.size()));
  if (header.section_count == 0 || header.section_count > FA3_MAX_SECTIONS)
    throw InvalidPackage("corrupt: " + text(header.section_count) +
                         " sections, expected 1 to " + text(FA3_MAX_SECTIONS));
  return header;
}

static void checkHeader(const fa3_file_header &header, std::string_view table) {
  fa3_file_header unsummed = header;
  unsummed.header_crc = 0;
  const uint32_t crc = fa3_crc32(fa3_crc32(0, &unsummed, sizeof(unsummed)),
                                 table.data(), table.size());
  if (crc != header.header_crc)
    throw InvalidPackage("corrupt: the header's checksum does not match");
  if (std::ranges::any_of(header.reserved, [](uint32_t r) { return r != 0; }))
    throw InvalidPackage("corrupt: reserved header fields are not zero");
}

Container parseContainer(const void *data, size_t size) {
  const std::string_view file(static_cast<const char *>(data), size);
  const fa3_file_header header = parseHeader(file);
  const size_t tableSize = header.section_count * sizeof(fa3_file_section);
  if (file.size() - sizeof(header) < tableSize)
    throw InvalidPackage("truncated: the section table does not fit");
  const std::string_view table = file.substr(sizeof(header), tableSize);
  checkHeader(header, table);

  Container container;
  bool hasManifest = false;
  uint64_t seenKinds = 0;
  size_t end = sizeof(header) + tableSize;
  for (uint32_t i = 0; i < header.section_count; ++i) {
    fa3_file_section section;
    std::memcpy(&section, table.data() + i * sizeof(section), sizeof(section));
    const std::string where = "section " + text(i) + ": ";
    const size_t start = (end + FA3_SECTION_ALIGNMENT - 1) /
                         FA3_SECTION_ALIGNMENT * FA3_SECTION_ALIGNMENT;
    if (section.offset != start)
      throw InvalidPackage(where + "begins at byte " + text(section.offset) +
                           ", expected " + text(start));
    if (start > file.size() || section.size > file.size() - start)
      throw InvalidPackage(where + "extends past the end of the file");
    if (file.substr(end, start - end).find_first_not_of('\0') !=
        std::string_view::npos)
      throw InvalidPackage(where + "the padding before it is not zero");
    const std::string_view contents = file.substr(start, section.size);
    end = start + section.size;
    if (fa3_crc32(0, contents.data(), contents.size()) != section.crc32)
      throw InvalidPackage(where + "corrupt: its checksum does not match");
    if (section.kind < 64) {
      if (seenKinds >> section.kind & 1)
        throw InvalidPackage(where + "a second section of kind " +
                             text(section.kind));
      seenKinds |= uint64_t{1} << section.kind;
    }
    switch (section.kind) {
    case FA3_SECTION_MANIFEST:
      container.manifest = contents;
      hasManifest = true;
      break;
    case FA3_SECTION_CUBIN:
      container.cubin = contents;
      break;
    case FA3_SECTION_PTX:
      if (contents.find('\0') + 1 != contents.size())
        throw InvalidPackage(where + "PTX must end in its only NUL");
      container.ptx = contents.substr(0, contents.size() - 1);
      break;
    default:
      // A later compiler's addition that this runtime can do without.
      break;
    }
  }
  if (end != file.size())
    throw InvalidPackage("corrupt: " + text(file.size() - end) +
                         " bytes after the last section");
  if (!hasManifest)
    throw InvalidPackage("there is no manifest section");
  if (container.cubin.empty() && container.ptx.empty())
    throw InvalidPackage("there is neither a cubin nor a PTX section");
  return container;
}

} // namespace fa3
