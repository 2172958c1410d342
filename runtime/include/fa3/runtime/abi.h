/*===- abi.h - Layout of a kernel package -----------------------------------===
 *
 * The file format that the compiler writes and the runtime reads. C99, without
 * dependencies: the only file the two share. docs/abi.md describes the
 * manifest.
 *
 * A package is little endian:
 *
 *   offset 0   fa3_file_header
 *   offset 64  fa3_file_section[section_count]
 *   then       the sections' contents, in the order of the table
 *
 * Each section starts at the first multiple of FA3_SECTION_ALIGNMENT at or
 * after the end of what precedes it (for the first section, of the table); the
 * padding is zero; the file ends where its last section ends. Together with
 * the checksums this makes every truncation and every flipped bit detectable.
 *
 *===------------------------------------------------------------------------===*/

#ifndef FA3_RUNTIME_ABI_H
#define FA3_RUNTIME_ABI_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The eight bytes a package begins with; the string's own NUL is the eighth. */
#define FA3_MAGIC "FA3PKG\0"
#define FA3_MAGIC_SIZE 8

/* Version of the container; another version has another layout. */
#define FA3_FILE_VERSION 1

/* Value of "format" in the manifest. */
#define FA3_MANIFEST_FORMAT 1

#define FA3_SECTION_ALIGNMENT 64
#define FA3_MAX_SECTIONS 16

/* Limits of a manifest. The runtime sizes its fixed buffers by them. */
#define FA3_MAX_RANK 8
#define FA3_MAX_TENSOR_MAP_RANK 5
#define FA3_MAX_SYMBOLS 32
#define FA3_MAX_TENSORS 32
#define FA3_MAX_WORKSPACE_TENSORS 32
#define FA3_MAX_KERNELS 16
#define FA3_MAX_PARAMETERS 256
#define FA3_MAX_PARAMETER_BYTES 4096
#define FA3_MAX_EXPRESSION_DEPTH 32

/* The symbol that a launch binds to the device's number of multiprocessors. Not
 * among a manifest's symbols; only expressions of kernels may use it. */
#define FA3_MULTIPROCESSORS_SYMBOL "multiprocessors"

/* A workspace's address is a multiple of this. */
#define FA3_WORKSPACE_ALIGNMENT 256

/* Size and alignment of a tensor map among the parameters of a kernel. */
#define FA3_TENSOR_MAP_SIZE 128
#define FA3_TENSOR_MAP_ALIGNMENT 64

typedef enum fa3_section_kind {
  FA3_SECTION_MANIFEST = 1, /* UTF-8 JSON; required */
  FA3_SECTION_CUBIN = 2,    /* absent when no ptxas was there */
  FA3_SECTION_PTX = 3       /* text that ends in one NUL, counted in its size */
} fa3_section_kind;

typedef struct fa3_file_header {
  uint8_t magic[FA3_MAGIC_SIZE];
  uint32_t version;
  uint32_t section_count;
  uint64_t file_size;
  /* CRC-32 of this header with header_crc = 0, followed by the section table.
   */
  uint32_t header_crc;
  uint32_t reserved[9]; /* zero */
} fa3_file_header;

typedef struct fa3_file_section {
  uint32_t kind;   /* fa3_section_kind; at most one section of a kind; a kind
                      the reader does not know is skipped */
  uint32_t crc32;  /* of the section's contents */
  uint64_t offset; /* from the start of the file */
  uint64_t size;   /* in bytes, without padding */
} fa3_file_section;

/* Element types; the names in a manifest are bf16 f16 f32 e4m3 e5m2 i32. */
typedef enum fa3_dtype {
  FA3_DTYPE_BF16 = 1,
  FA3_DTYPE_F16 = 2,
  FA3_DTYPE_F32 = 3,
  FA3_DTYPE_E4M3 = 4,
  FA3_DTYPE_E5M2 = 5,
  FA3_DTYPE_I32 = 6
} fa3_dtype;

/* CRC-32 (IEEE 802.3) of `size` bytes, continuing from `crc`; start with 0. */
static inline uint32_t fa3_crc32(uint32_t crc, const void *data, size_t size) {
  static const uint32_t table[16] = {
      0x00000000u, 0x1db71064u, 0x3b6e20c8u, 0x26d930acu,
      0x76dc4190u, 0x6b6b51f4u, 0x4db26158u, 0x5005713cu,
      0xedb88320u, 0xf00f9344u, 0xd6d6a3e8u, 0xcb61b38cu,
      0x9b64c2b0u, 0x86d3d2d4u, 0xa00ae278u, 0xbdbdf21cu};
  const uint8_t *bytes = (const uint8_t *)data;
  size_t i;
  crc = ~crc;
  for (i = 0; i < size; ++i) {
    crc = table[(crc ^ bytes[i]) & 15u] ^ (crc >> 4);
    crc = table[(crc ^ ((uint32_t)bytes[i] >> 4)) & 15u] ^ (crc >> 4);
  }
  return ~crc;
}

#ifdef __cplusplus
}

static_assert(sizeof(fa3_file_header) == 64, "a package's header is 64 bytes");
static_assert(sizeof(fa3_file_section) == 24, "a table entry is 24 bytes");
#endif

#endif /* FA3_RUNTIME_ABI_H */
