// A CloudFormation or SAM template as it is, as the setup that a penstock.yaml would be read as: each value keeps its
// place in the template. Of the resource types those are translated that there is something of here; the others are
// named among the notes and passed over.
#pragma once

#include "config/problems.hpp"
#include "config/setup.hpp"
#include "config/template/evaluator.hpp"
#include "config/value.hpp"

namespace penstock::config {

/// Whether a document is a template rather than a penstock.yaml.
bool is_template(const Value& document);

/// What there is to be, as far as that is in order: what is not is among the problems. A resource without a name of its
/// own is called as its logical id, with `.fifo` behind it if that is what the queue is.
Setup read_template(const Value& document, const TemplateInput& input, Problems& problems);

}  // namespace penstock::config
