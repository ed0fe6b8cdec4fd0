// The description of this API that tools read: made from the declarations, and so never other than what is there.
#pragma once

#include <string>

namespace penstock::protocol::native {

/// OpenAPI 3.0.3, in JSON.
std::string openapi_document();

}  // namespace penstock::protocol::native
