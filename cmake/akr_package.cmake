# Debian's package: cpack -G DEB --config BUILD/CPackConfig.cmake -B FOLDER takes what is built, compiles nothing, and needs
# dpkg-dev.  What goes with the binary lies in deploy/debian/; its pages come from a binary that runs here.
set(AKR_PAGES_BY "${CMAKE_BINARY_DIR}/api-key-rotator" CACHE FILEPATH
  "The gateway that prints manual page, completions and settings for the package; of this machine, if built for another")
set(AKR_DEBIAN "${CMAKE_SOURCE_DIR}/deploy/debian")

install(TARGETS api-key-rotator RUNTIME DESTINATION usr/bin COMPONENT package)
# /lib, not /usr/lib: where Debian 12's own packages have units, though both are one folder there.
install(FILES "${AKR_DEBIAN}/api-key-rotator.service" DESTINATION lib/systemd/system COMPONENT package)
# One name for both builds, so that changing from one to the other keeps the data; the enterprise build is the higher
# version of the two, since it can do all that the other one does.
set(CPACK_PACKAGE_VERSION "${PROJECT_VERSION}")
if(NOT AKR_MYSQL AND NOT AKR_POSTGRESQL)
  string(APPEND CPACK_PACKAGE_VERSION "~light")
endif()
install(CODE "set(AKR_VERSION [[${CPACK_PACKAGE_VERSION}]])
  set(AKR_PAGES_BY [[${AKR_PAGES_BY}]])
  set(AKR_SOURCE [[${CMAKE_SOURCE_DIR}]])
  set(AKR_WORK [[${CMAKE_BINARY_DIR}/pages]])" COMPONENT package)
install(SCRIPT "${CMAKE_SOURCE_DIR}/cmake/akr_package_pages.cmake" COMPONENT package)

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME api-key-rotator)
set(CPACK_PACKAGE_CONTACT "The API Key Rotator authors <maintainers@api-key-rotator.invalid>")
set(CPACK_PACKAGING_INSTALL_PREFIX /)
set(CPACK_STRIP_FILES ON)
set(CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS
  OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)
set(CPACK_COMPONENTS_ALL package)
set(CPACK_COMPONENTS_GROUPING ALL_COMPONENTS_IN_ONE)
set(CPACK_DEB_COMPONENT_INSTALL ON)

set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_NAME api-key-rotator)
set(CPACK_DEBIAN_PACKAGE_SECTION net)
set(CPACK_DEBIAN_PACKAGE_PRIORITY optional)
if(CMAKE_SYSTEM_PROCESSOR STREQUAL aarch64)
  set(CPACK_DEBIAN_PACKAGE_ARCHITECTURE arm64)   # else CPack asks dpkg, which tells this machine's
endif()
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_DEPENDS "adduser, ca-certificates")
set(stores "SQLite")
if(AKR_MYSQL)
  string(APPEND stores ", MySQL, MariaDB")
endif()
if(AKR_POSTGRESQL)
  string(APPEND stores ", PostgreSQL")
endif()
# CPack puts a blank in front of each line.
set(CPACK_DEBIAN_PACKAGE_DESCRIPTION "gateway that rotates API keys of REST and LLM services
Clients talk to it with one access key; it puts a provider key of a pool
into each request, rotates the keys evenly, and tries another one when a
key is refused or limited. OpenAI, Anthropic and Gemini work with their
official SDKs unchanged; event streams are passed on as they arrive.
.
This build stores in: ${stores}.")
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
file(WRITE "${CMAKE_BINARY_DIR}/conffiles" "/etc/api-key-rotator/environment\n")
set(CPACK_DEBIAN_PACKAGE_CONTROL_EXTRA "${CMAKE_BINARY_DIR}/conffiles"
  "${AKR_DEBIAN}/postinst" "${AKR_DEBIAN}/prerm" "${AKR_DEBIAN}/postrm")
include(CPack)
