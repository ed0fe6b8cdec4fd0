// What functions are invoked with, what their answers mean, and what is told of them: every byte of it that is not the
// sender's own.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "penstock/commands.hpp"
#include "penstock/mappings.hpp"
#include "penstock/trigger_commands.hpp"
#include "penstock/triggers.hpp"
#include "protocol/lambda/filters.hpp"

namespace penstock::protocol::lambda {

/// Messages as items of the mapping's events, in the order of the deliveries. Those whose message could not be read
/// are left out.
std::vector<SourceItem> items_of(const Deliveries& deliveries, const MappingRecord& mapping, const Filters& filters);
/// The same of records, which have been read. `role` is the function's, which each record's invokeIdentityArn names;
/// where it is empty, one of the function's name.
std::vector<SourceItem> items_of(const RecordsPage& page, const MappingRecord& mapping, const Filters& filters,
                                 std::string_view role = {});

/// The whole event, with as many bytes as its records have and few more.
std::string event_of(const BatchEvent& event);

/// What a function's answer to a batch says. Where the mapping asks for no report of failed items, whatever it answers
/// is success, but for the state of a tumbling window, which has to be there where the event had one: a window that is
/// open when its mapping is changed comes to its end all the same.
BatchAnswer read_answer(std::string_view payload, const MappingRecord& mapping, bool has_window);

/// The body of the message that a destination gets.
std::string report_of(const BatchFailure& failure);
/// Of a plain one it is the request's payload.
std::string report_of(const AsyncEnd& end);
/// What goes beside a plain one's body: RequestID, ErrorCode and ErrorMessage.
std::vector<MessageAttribute> attributes_of(const AsyncEnd& end);

}  // namespace penstock::protocol::lambda
