// frame_pool.hpp - recycles coroutine frames per thread, so that a warm request allocates none.
#pragma once

#include <cstddef>

namespace akr::net {

// Memory for a coroutine frame of `size` bytes.  May be freed on the thread that allocated it only.
void* allocate_frame(std::size_t size);
void free_frame(void* frame, std::size_t size) noexcept;

}  // namespace akr::net
