// Makes the setup of the resources of a template.
#pragma once

#include <string>

#include "config/setup.hpp"
#include "config/template/properties.hpp"
#include "config/template/resources.hpp"

namespace penstock::config {

class Translator {
 public:
  /// All of it outlives this.
  Translator(Resources& resources, Problems& problems) : resources_(resources), problems_(problems) {}

  Setup translate();

 private:
  void translate(const Declared& resource);

  // What others add to comes before them.
  void translate_queue(const Declared& queue);
  void translate_stream(const Declared& stream);
  void translate_policy(const Declared& policy);
  void translate_consumer(const Declared& consumer);
  void translate_function(const Declared& function);
  void translate_serverless(const Declared& function);
  void translate_mapping(const Declared& mapping);

  void translate_event(const std::string& id, const std::string& function, const Member& event);
  /// The mapping's source, as a penstock.yaml would name it; false if there is none that is offered here.
  bool set_source(const std::string& what, const Value* given, Mapping& mapping);
  void add_mapping(Mapping mapping, std::size_t problems_before);
  void add_function(const Declared& function, Properties sorted, const Value* invokes, std::size_t problems_before);
  void set_code(const Declared& function, const Properties& sorted, Value& members);
  void set_packaged_code(const Value& code, Value& members);
  Value logging_of(const Value& given);
  Value invoke_config_of(const Value& given);
  Value with_bare_destinations(const Value& config, std::string_view what);

  Properties sort(const Declared& resource, std::span<const Property> table, const AllowedMembers& allowed);
  /// The name, or empty if there is none that could be found out.
  std::string name_of(const Declared& resource);
  void add(std::vector<Resource>& list, const std::string& kind, Resource resource);
  /// Without its home, where it is one of the functions here.
  std::string function_named(const std::string& text) const;

  Resources& resources_;
  Problems& problems_;
  Setup setup_;
};

}  // namespace penstock::config
