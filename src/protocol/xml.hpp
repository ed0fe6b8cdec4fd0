// A Sink that makes the XML of the Query protocol's answers, in which lists and maps are flattened.
#pragma once

#include <cstddef>
#include <cstdint>
#include <pugixml.hpp>
#include <string>
#include <string_view>

#include "protocol/encode.hpp"
#include "protocol/shape.hpp"

namespace penstock::protocol {

class XmlSink {
 public:
  /// Writes below `parent`.
  explicit XmlSink(pugi::xml_node parent) : here_(parent) {}

  void member(const Names&) {}
  void string(const Names& names, std::string_view text);
  void integer(const Names& names, std::int64_t number);
  void boolean(const Names& names, bool flag) { string(names, flag ? "true" : "false"); }
  void blob(const Names& names, std::string_view bytes);
  void open_structure(const Names& names, std::size_t) { here_ = append(here_, names.query); }
  void close_structure() { here_ = here_.parent(); }
  void open_list(std::size_t) {}
  void close_list() {}
  void open_map(std::size_t) {}
  void open_entry(const Names& names, std::string_view key);
  void close_entry() { here_ = here_.parent(); }
  void close_map() {}

  static pugi::xml_node append(pugi::xml_node parent, std::string_view name);
  /// What XML cannot hold is replaced by U+FFFD.
  static void append_text(pugi::xml_node parent, std::string_view name, std::string_view text);

 private:
  pugi::xml_node here_;
};
static_assert(Sink<XmlSink>);

/// The document's text, with its declaration and without white space between elements.
std::string to_string(const pugi::xml_document& document);

}  // namespace penstock::protocol
