#include "storage/check.hpp"

#include <string>

#include "storage/check_parts.hpp"
#include "storage/clock_record.hpp"
#include "storage/keys.hpp"
#include "storage/records.hpp"

namespace penstock::storage {
namespace {

constexpr std::string_view catalog_subject = "catalog";

/// False if the rest cannot be understood.
bool check_format(Checking& checking) {
  bool empty = true;
  const StoreError scanned = checking.store.scan(Table::catalog, "", after_all_keys(),
                                                 [&](std::string_view, std::string_view) { return empty = false; });
  if (scanned) {
    checking.add(Finding::unreadable_table, catalog_subject, scanned.message);
    return false;
  }
  if (empty) return true;
  const StoreError error = read_format(checking.store, checking.report.counts.format);
  if (error.status == StoreStatus::not_found) {
    checking.add(Finding::no_format, catalog_subject);
  } else if (error) {
    checking.add(Finding::unreadable_record, catalog_subject, error.message);
  } else if (checking.report.counts.format > format_version) {
    checking.add(Finding::newer_format, catalog_subject,
                 "it is " + std::to_string(checking.report.counts.format) + ", and this version knows those up to " +
                     std::to_string(format_version));
    return false;
  }
  std::optional<ClockRecord> clock;
  if (const StoreError bad = read_clock(checking.store, clock)) {
    checking.add(Finding::unreadable_record, catalog_subject, bad.message);
  }
  return true;
}

/// Every key of the catalog is of a kind that this version knows.
void check_catalog_keys(Checking& checking) {
  checking.begin("the catalog's keys");
  checking.each(Table::catalog, "", after_all_keys(), catalog_subject,
                [&](std::string_view key, std::string_view /*value*/) {
                  const bool known = key == format_key().view() || key == clock_key().view() || is_catalog_key(key);
                  if (!known) checking.add(Finding::unknown_key, catalog_subject, hex_of(key));
                });
}

}  // namespace

std::optional<std::uint64_t> first_number(Checking& checking, Table table, std::string_view from) {
  std::optional<std::uint64_t> found;
  std::string bad;
  const StoreError error =
      checking.store.scan(table, from, after_all_keys(), [&](std::string_view key, std::string_view) {
        if (key.size() < queue_prefix_bytes) bad = key;
        std::uint64_t number = 0;
        for (std::size_t i = 0; i < queue_prefix_bytes; ++i) {
          number = (number << 8U) | (i < key.size() ? static_cast<unsigned char>(key[i]) : 0U);
        }
        found = number;
        return false;
      });
  if (error) checking.add(Finding::unreadable_table, "tables", error.message);
  if (!bad.empty()) checking.add(Finding::unknown_key, "tables", hex_of(bad));
  return found;
}

std::string hex_of(std::string_view key) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string text;
  for (const char byte : key.substr(0, Key::bytes_max)) {
    text += digits[static_cast<unsigned char>(byte) >> 4U];
    text += digits[static_cast<unsigned char>(byte) & 15U];
  }
  return text;
}

void check(const Store& store, CheckReport& report, const CheckProgress& progress) {
  Checking checking(store, report, progress);
  checking.begin("the format");
  if (!check_format(checking)) return;
  check_catalog_keys(checking);
  check_queues(checking);
  const CheckedStreams streams = check_streams(checking);
  check_groups(checking, streams);
  check_triggers(checking, streams);
}

}  // namespace penstock::storage
