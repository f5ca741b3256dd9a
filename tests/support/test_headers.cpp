// Nothing but the headers that all tests share (cmake/akr_module.cmake).
