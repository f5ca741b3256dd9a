// llm_streams.hpp - the least that an event stream of a chat completion can say.
#pragma once

#include <string_view>

namespace akr::test {

inline constexpr std::string_view kChatPath = "/v1/chat/completions";
inline constexpr std::string_view kStreamHead =
    "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n";
inline constexpr std::string_view kErrorEvent =
    "data: {\"error\":{\"message\":\"Rate limit reached\",\"type\":\"rate_limit_error\",\"code\":"
    "\"rate_limit_exceeded\"}}\n\n";
inline constexpr std::string_view kGoodEvent = "data: {\"choices\":[{\"delta\":{\"content\":\"hi\"}}]}\n\n";

}  // namespace akr::test
