# find_package(keyplate) gives the targets keyplate::keyplate (shared) and keyplate::static.

get_filename_component(_keyplate_prefix "${CMAKE_CURRENT_LIST_DIR}/../../.." ABSOLUTE)
include(CMakeFindDependencyMacro)
find_dependency(Threads)

if(NOT TARGET keyplate::keyplate)
  add_library(keyplate::keyplate SHARED IMPORTED)
  set_target_properties(keyplate::keyplate PROPERTIES
    IMPORTED_LOCATION "${_keyplate_prefix}/lib/libkeyplate.so"
    INTERFACE_INCLUDE_DIRECTORIES "${_keyplate_prefix}/include")

  add_library(keyplate::static STATIC IMPORTED)
  set_target_properties(keyplate::static PROPERTIES
    IMPORTED_LOCATION "${_keyplate_prefix}/lib/libkeyplate.a"
    INTERFACE_INCLUDE_DIRECTORIES "${_keyplate_prefix}/include"
    INTERFACE_LINK_LIBRARIES "Threads::Threads;${CMAKE_DL_LIBS};m")
endif()

unset(_keyplate_prefix)
