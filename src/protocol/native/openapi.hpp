// The document that describes Penstock's own API in OpenAPI 3.0, made from the operation table.
#pragma once

#include <span>
#include <string>

namespace penstock::protocol::native {

struct Operation;

std::string openapi_document(std::span<const Operation> operations);

}  // namespace penstock::protocol::native
