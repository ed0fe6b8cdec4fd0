// The schema of a penstock.yaml, for editors and other checkers: made of the same declarations that the file is checked
// by, so that it cannot say anything else.
#pragma once

#include <string>
#include <vector>

namespace penstock::config {

/// A setting, as the flags of the server declare it.
struct SettingInfo {
  std::string name;
  std::string description;
  /// What the flag's help calls its value, such as FILE, or a choice: `fsync|os`; brackets say that more may follow.
  std::string argument;
  bool is_truth = false;  ///< true or false
  bool is_list = false;   ///< may be given more than once
};

/// Where a server has it.
inline constexpr const char* schema_path = "/_penstock/penstock.schema.json";

/// JSON Schema, draft 2020-12.
std::string schema_document(const std::vector<SettingInfo>& settings);

}  // namespace penstock::config
