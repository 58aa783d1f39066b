# SPDX-License-Identifier: Apache-2.0
#
# A double of ESP-IDF's build system: what the generated lists call of it. sdkconfig.h and its
# CMake twin are given; components become libraries of the application. Not ESP-IDF's.
set(DOUBLE ${CMAKE_CURRENT_LIST_DIR}/../..)

function(idf_component_register)
  cmake_parse_arguments(given "" "" "SRCS;INCLUDE_DIRS;REQUIRES;PRIV_REQUIRES" ${ARGN})
  get_filename_component(name ${CMAKE_CURRENT_SOURCE_DIR} NAME)
  add_library(component_${name} ${given_SRCS})
  target_include_directories(component_${name} PUBLIC ${given_INCLUDE_DIRS})
  target_include_directories(component_${name} PRIVATE ${DOUBLE} ${SDKCONFIG} ${TFLM_DOUBLE})
  foreach(required IN LISTS given_REQUIRES given_PRIV_REQUIRES)
    if(TARGET component_${required})
      target_link_libraries(component_${name} PRIVATE component_${required})
    elseif(NOT required IN_LIST KNOWN_COMPONENTS)
      message(FATAL_ERROR "no component ${required}")
    endif()
  endforeach()
  set(COMPONENT_LIB component_${name} PARENT_SCOPE)
endfunction()

# Which components are built does not matter here.
function(idf_build_set_property)
endfunction()

macro(project name)
  _project(${name} C CXX)
  include(${SDKCONFIG}/sdkconfig.cmake)
  set(KNOWN_COMPONENTS esp_driver_i2s esp_driver_uart esp-tflite-micro)
  file(GLOB folders ${CMAKE_SOURCE_DIR}/components/*)
  foreach(folder IN LISTS folders)
    add_subdirectory(${folder})
  endforeach()
  add_subdirectory(main)
  add_executable(app ${DOUBLE}/esp_idf_host.c ${DOUBLE}/../played/played.c
                 ${DOUBLE}/../played/console.c ${DOUBLE_SOURCES})
  target_include_directories(app PRIVATE ${DOUBLE} ${DOUBLE}/../played)
  target_link_libraries(app PRIVATE component_main pthread)
endmacro()
