#include "protocol/xml.hpp"

#include <algorithm>
#include <utility>

#include "protocol/base64.hpp"
#include "protocol/text.hpp"

namespace penstock::protocol {
namespace {

class StringWriter final : public pugi::xml_writer {
 public:
  void write(const void* data, std::size_t size) override { text.append(static_cast<const char*>(data), size); }
  std::string text;
};

/// Done here because pugixml leaves carriage returns alone, which every reader of XML turns into line feeds: a body
/// would arrive with another sum than was sent.
std::string escape(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (true) {
    const std::size_t end = std::min(text.find_first_of("&<>\r"), text.size());
    out.append(text.substr(0, end));
    if (end == text.size()) return out;
    switch (text[end]) {
      case '&':
        out.append("&amp;");
        break;
      case '<':
        out.append("&lt;");
        break;
      case '>':
        out.append("&gt;");
        break;
      default:
        out.append("&#13;");
        break;
    }
    text.remove_prefix(end + 1);
  }
}

}  // namespace

pugi::xml_node XmlSink::append(pugi::xml_node parent, std::string_view name) {
  return parent.append_child(std::string(name).c_str());
}

void XmlSink::append_text(pugi::xml_node parent, std::string_view name, std::string_view text) {
  const std::string safe = has_only_message_characters(text) ? escape(text) : escape(with_message_characters(text));
  append(parent, name).append_child(pugi::node_pcdata).set_value(safe.c_str());
}

void XmlSink::string(const Names& names, std::string_view text) { append_text(here_, names.query, text); }

void XmlSink::integer(const Names& names, std::int64_t number) { string(names, std::to_string(number)); }

void XmlSink::blob(const Names& names, std::string_view bytes) { string(names, base64_encode(bytes)); }

void XmlSink::open_entry(const Names& names, std::string_view key) {
  here_ = append(here_, names.query);
  append_text(here_, names.key, key);
}

std::string to_string(const pugi::xml_document& document) {
  StringWriter writer;
  document.save(writer, "", pugi::format_raw | pugi::format_no_escapes, pugi::encoding_utf8);
  return std::move(writer.text);
}

}  // namespace penstock::protocol
