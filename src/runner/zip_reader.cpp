#include "runner/zip_reader.hpp"

#include <zlib.h>

#include <algorithm>
#include <array>

namespace penstock::runner {

namespace {

constexpr std::uint64_t end_signature = 0x06054b50;
constexpr std::uint64_t end64_signature = 0x06064b50;
constexpr std::uint64_t locator64_signature = 0x07064b50;
constexpr std::uint64_t central_signature = 0x02014b50;
constexpr std::uint64_t local_signature = 0x04034b50;
constexpr std::size_t end_bytes = 22;
constexpr std::size_t end64_bytes = 56;
constexpr std::size_t locator64_bytes = 20;
constexpr std::size_t central_bytes = 46;
constexpr std::size_t local_bytes = 30;
constexpr std::size_t comment_bytes_max = 0xFFFF;
constexpr std::uint64_t elsewhere = 0xFFFFFFFF;  ///< a number that stands in the ZIP64 field
constexpr std::uint16_t zip64_field = 1;
constexpr std::uint16_t stored = 0;
constexpr std::uint16_t deflated = 8;
constexpr std::uint64_t encrypted_flag = 1;
constexpr std::uint64_t made_on_unix = 3;
constexpr std::size_t piece_bytes = 64U << 10U;

// Little-endian numbers at places that may lie beyond the end, where it has failed.
class Bytes {
 public:
  explicit Bytes(std::string_view bytes) : bytes_(bytes) {}

  std::uint64_t number(std::uint64_t at, std::size_t size) {
    std::uint64_t value = 0;
    const std::string_view found = part(at, size);
    for (std::size_t i = found.size(); i-- > 0;) value = value << 8U | static_cast<std::uint8_t>(found[i]);
    return value;
  }
  std::uint64_t two(std::uint64_t at) { return number(at, 2); }
  std::uint64_t four(std::uint64_t at) { return number(at, 4); }
  std::uint64_t eight(std::uint64_t at) { return number(at, 8); }

  std::string_view part(std::uint64_t at, std::uint64_t size) {
    if (at > bytes_.size() || size > bytes_.size() - at) {
      good_ = false;
      return {};
    }
    return bytes_.substr(at, size);
  }
  bool good() const { return good_; }
  std::size_t size() const { return bytes_.size(); }

 private:
  std::string_view bytes_;
  bool good_ = true;
};

struct Directory {
  std::uint64_t entries = 0;
  std::uint64_t bytes = 0;
  std::uint64_t offset = 0;
  std::uint64_t shift = 0;  ///< what stands before the archive, and was not counted
};

// The record at the end, which a comment may follow.
std::optional<std::uint64_t> find_end(Bytes& bytes) {
  if (bytes.size() < end_bytes) return std::nullopt;
  const std::uint64_t last = bytes.size() - end_bytes;
  const std::uint64_t first = last > comment_bytes_max ? last - comment_bytes_max : 0;
  for (std::uint64_t at = last + 1; at-- > first;) {
    if (bytes.four(at) == end_signature && at + end_bytes + bytes.two(at + 20) == bytes.size()) return at;
  }
  return std::nullopt;
}

std::optional<Directory> find_directory(Bytes& bytes) {
  const auto end = find_end(bytes);
  if (!end) return std::nullopt;
  Directory directory{bytes.two(*end + 10), bytes.four(*end + 12), bytes.four(*end + 16), 0};
  std::uint64_t directory_end = *end;
  const bool has_locator = *end >= locator64_bytes && bytes.four(*end - locator64_bytes) == locator64_signature;
  if (has_locator) {
    const std::uint64_t at = bytes.eight(*end - locator64_bytes + 8);
    if (at > bytes.size() || bytes.four(at) != end64_signature) return std::nullopt;
    bytes.part(at, end64_bytes);
    directory = {bytes.eight(at + 32), bytes.eight(at + 40), bytes.eight(at + 48), 0};
    directory_end = at;
  }
  if (!bytes.good() || directory.bytes > directory_end || directory.offset > directory_end - directory.bytes) {
    return std::nullopt;
  }
  directory.shift = directory_end - directory.bytes - directory.offset;
  return directory;
}

// The numbers that were too large for their places, in the order in which they are looked for.
void read_zip64(std::string_view extra, ZipEntry& entry) {
  Bytes bytes(extra);
  for (std::uint64_t at = 0; at + 4 <= extra.size();) {
    const std::uint64_t size = bytes.two(at + 2);
    if (bytes.two(at) == zip64_field) {
      std::uint64_t from = at + 4;
      for (std::uint64_t* number : {&entry.bytes, &entry.packed_bytes, &entry.offset}) {
        if (*number != elsewhere || from + 8 > at + 4 + size) continue;
        *number = bytes.eight(from);
        from += 8;
      }
      return;
    }
    at += 4 + size;
  }
}

class Inflater {
 public:
  Inflater() : good_(::inflateInit2(&stream_, -MAX_WBITS) == Z_OK) {}
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;
  ~Inflater() { ::inflateEnd(&stream_); }

  bool run(std::string_view packed, const std::function<bool(std::string_view)>& sink) {
    // zlib does not write to its input, and has no type that says so.
    stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(packed.data()));  // NOLINT
    stream_.avail_in = static_cast<uInt>(packed.size());
    std::vector<char> piece(piece_bytes);
    int state = good_ ? Z_OK : Z_MEM_ERROR;
    while (state == Z_OK) {
      stream_.next_out = reinterpret_cast<Bytef*>(piece.data());
      stream_.avail_out = static_cast<uInt>(piece.size());
      state = ::inflate(&stream_, Z_NO_FLUSH);
      const std::size_t got = piece.size() - stream_.avail_out;
      if (state != Z_OK && state != Z_STREAM_END) return false;
      if (got == 0 && state == Z_OK) return false;
      if (got > 0 && !sink({piece.data(), got})) return false;
    }
    return state == Z_STREAM_END && stream_.avail_in == 0;
  }

 private:
  z_stream stream_ = {};
  const bool good_;
};

}  // namespace

std::optional<std::vector<ZipEntry>> read_entries(std::string_view zip, std::size_t entries_max) {
  Bytes bytes(zip);
  const auto directory = find_directory(bytes);
  if (!directory || directory->entries > entries_max) return std::nullopt;
  std::vector<ZipEntry> entries;
  std::uint64_t at = directory->offset + directory->shift;
  for (std::uint64_t i = 0; i < directory->entries; ++i) {
    if (bytes.four(at) != central_signature) return std::nullopt;
    ZipEntry entry;
    const bool unix = bytes.two(at + 4) >> 8U == made_on_unix;
    const bool encrypted = (bytes.two(at + 8) & encrypted_flag) != 0;
    entry.method = static_cast<std::uint16_t>(bytes.two(at + 10));
    entry.crc = static_cast<std::uint32_t>(bytes.four(at + 16));
    entry.packed_bytes = bytes.four(at + 20);
    entry.bytes = bytes.four(at + 24);
    const std::uint64_t name_bytes = bytes.two(at + 28);
    const std::uint64_t extra_bytes = bytes.two(at + 30);
    const std::uint64_t comment_bytes = bytes.two(at + 32);
    if (unix) entry.mode = static_cast<std::uint32_t>(bytes.four(at + 38) >> 16U);
    entry.offset = bytes.four(at + 42);
    entry.name = bytes.part(at + central_bytes, name_bytes);
    read_zip64(bytes.part(at + central_bytes + name_bytes, extra_bytes), entry);
    entry.offset += directory->shift;
    at += central_bytes + name_bytes + extra_bytes + comment_bytes;
    if (!bytes.good() || encrypted) return std::nullopt;
    entries.push_back(std::move(entry));
  }
  return entries;
}

bool unpack(std::string_view zip, const ZipEntry& entry, const std::function<bool(std::string_view)>& sink) {
  Bytes bytes(zip);
  if (bytes.four(entry.offset) != local_signature) return false;
  const std::uint64_t begin = entry.offset + local_bytes + bytes.two(entry.offset + 26) + bytes.two(entry.offset + 28);
  const std::string_view packed = bytes.part(begin, entry.packed_bytes);
  if (!bytes.good()) return false;
  std::uint64_t left = entry.bytes;
  uLong crc = ::crc32(0, nullptr, 0);
  const auto take = [&](std::string_view piece) {
    // It says how long it is, so that a bomb is known before it goes off.
    if (piece.size() > left) return false;
    left -= piece.size();
    crc = ::crc32(crc, reinterpret_cast<const Bytef*>(piece.data()), static_cast<uInt>(piece.size()));
    return sink(piece);
  };
  bool done = false;
  if (entry.method == stored) done = packed.empty() || take(packed);
  if (entry.method == deflated) done = Inflater().run(packed, take);
  return done && left == 0 && crc == entry.crc;
}

}  // namespace penstock::runner
