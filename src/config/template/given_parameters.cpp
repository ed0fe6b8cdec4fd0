#include "config/template/given_parameters.hpp"

#include <algorithm>
#include <iterator>
#include <stdexcept>
#include <utility>

namespace penstock::config {

std::istream& operator>>(std::istream& in, ParameterWords& given) {
  given.words.emplace_back(std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>());
  return in;
}

std::vector<GivenParameter> read_parameters(const ParameterWords& given) {
  std::vector<GivenParameter> parameters;
  for (const std::string& word : given.words) {
    const std::size_t at = word.find('=');
    if (at == 0 || at == std::string::npos) {
      throw std::invalid_argument("--parameter is NAME=VALUE, not '" + word + "'");
    }
    GivenParameter parameter{word.substr(0, at), word.substr(at + 1)};
    if (std::ranges::find(parameters, parameter.name, &GivenParameter::name) != parameters.end()) {
      throw std::invalid_argument("--parameter gives '" + parameter.name + "' a value twice");
    }
    parameters.push_back(std::move(parameter));
  }
  return parameters;
}

}  // namespace penstock::config
