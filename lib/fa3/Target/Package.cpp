//===- Package.cpp - The .fa3 container -----------------------------------===//

#include "fa3/Target/Package.h"

#include "fa3/runtime/abi.h"

#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/Endian.h"
#include "llvm/Support/MathExtras.h"
#include "llvm/Support/raw_ostream.h"

using namespace fa3;

namespace {

template <typename Integer> Integer littleEndian(Integer value) {
  return llvm::support::endian::byte_swap(value, llvm::endianness::little);
}

/// The bytes of a structure of abi.h.
template <typename Struct> llvm::StringRef getBytes(const Struct &value) {
  return {reinterpret_cast<const char *>(&value), sizeof(Struct)};
}

uint32_t getChecksum(llvm::StringRef bytes, uint32_t start = 0) {
  return fa3_crc32(start, bytes.data(), bytes.size());
}

} // namespace

std::string fa3::writePackage(llvm::StringRef manifest, llvm::StringRef cubin,
                              llvm::StringRef ptx) {
  // The PTX section ends in a NUL, which the driver wants.
  std::string text = ptx.str() + '\0';
  struct Section {
    fa3_section_kind kind;
    llvm::StringRef contents;
  };
  llvm::SmallVector<Section> sections{{FA3_SECTION_MANIFEST, manifest}};
  if (!cubin.empty())
    sections.push_back({FA3_SECTION_CUBIN, cubin});
  sections.push_back({FA3_SECTION_PTX, text});

  std::string table;
  uint64_t end =
      sizeof(fa3_file_header) + sections.size() * sizeof(fa3_file_section);
  for (const Section &section : sections) {
    uint64_t offset = llvm::alignTo(end, FA3_SECTION_ALIGNMENT);
    fa3_file_section entry = {};
    entry.kind = littleEndian<uint32_t>(section.kind);
    entry.crc32 = littleEndian(getChecksum(section.contents));
    entry.offset = littleEndian(offset);
    entry.size = littleEndian<uint64_t>(section.contents.size());
    table += getBytes(entry);
    end = offset + section.contents.size();
  }

  fa3_file_header header = {};
  memcpy(header.magic, FA3_MAGIC, FA3_MAGIC_SIZE);
  header.version = littleEndian<uint32_t>(FA3_FILE_VERSION);
  header.section_count = littleEndian<uint32_t>(sections.size());
  header.file_size = littleEndian(end);
  header.header_crc =
      littleEndian(getChecksum(table, getChecksum(getBytes(header))));

  std::string package = getBytes(header).str() + table;
  for (const Section &section : sections) {
    package.resize(llvm::alignTo(package.size(), FA3_SECTION_ALIGNMENT), '\0');
    package += section.contents;
  }
  return package;
}

std::string fa3::writePackageHeader(llvm::StringRef name,
                                    llvm::StringRef package) {
  std::string text;
  llvm::raw_string_ostream os(text);
  std::string guard = "FA3_PACKAGE_" + name.upper() + "_H";
  os << "/* Kernel package " << name << ", written by fa3-opt. */\n\n"
     << "#ifndef " << guard << "\n#define " << guard << "\n\n"
     << "#include <stddef.h>\n\n"
     << "static const size_t " << name << "_size = " << package.size() << ";\n"
     << "static const unsigned char " << name << "[] = {";
  for (auto [index, byte] : llvm::enumerate(package.bytes()))
    os << (index % 16 == 0 ? "\n  " : " ") << unsigned(byte) << ",";
  os << "\n};\n\n#endif /* " << guard << " */\n";
  return text;
}
