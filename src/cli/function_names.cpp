#include "cli/function_names.hpp"

#include <utility>

#include "client/api.hpp"

namespace penstock::cli {

std::vector<wire::Function> all_functions(Server& server, std::size_t enough) {
  std::vector<wire::Function> functions;
  bool more = true;
  while (more && functions.size() < enough) {
    std::string target = wire::functions_path;
    if (!functions.empty()) {
      target += "?ExclusiveStartFunction=" + client::percent_encode(functions.back().name.value_or(""));
    }
    auto page = client::from_json<wire::FunctionList>(server.lambda({"GET", target, {}}));
    const std::size_t before = functions.size();
    if (page.functions) {
      for (wire::Function& function : *page.functions) functions.push_back(std::move(function));
    }
    more = page.more.value_or(false) && functions.size() > before;
  }
  return functions;
}

std::vector<wire::Mapping> all_mappings(Server& server, std::size_t enough) {
  std::vector<wire::Mapping> mappings;
  std::string marker;
  do {
    const std::string query = marker.empty() ? "" : "?Marker=" + client::percent_encode(marker);
    auto page = client::from_json<wire::MappingList>(server.lambda({"GET", wire::mappings_path + query, {}}));
    if (page.mappings) {
      for (wire::Mapping& mapping : *page.mappings) mappings.push_back(std::move(mapping));
    }
    marker = page.next_marker.value_or("");
  } while (!marker.empty() && mappings.size() < enough);
  return mappings;
}

std::vector<std::string> function_names(Server& server, std::size_t enough) {
  std::vector<std::string> names;
  for (const wire::Function& function : all_functions(server, enough)) names.push_back(function.name.value_or(""));
  return names;
}

std::vector<std::string> mapping_ids(Server& server, std::size_t enough) {
  std::vector<std::string> ids;
  for (const wire::Mapping& mapping : all_mappings(server, enough)) ids.push_back(mapping.uuid.value_or(""));
  return ids;
}

}  // namespace penstock::cli
