# SPDX-License-Identifier: Apache-2.0
#
# A double of Zephyr's CMake package: what the generated lists call of it. Configuration comes
# from files of `CONFIG_X=y`; a library of each module goes into the application. Not Zephyr's.
macro(zephyr_double_read file)
  file(STRINGS ${file} lines REGEX "^CONFIG_[A-Z0-9_]+=y$")
  foreach(line IN LISTS lines)
    string(REPLACE "=y" "" name ${line})
    set(${name} y)
  endforeach()
endmacro()

function(zephyr_include_directories)
  target_include_directories(app PRIVATE ${ARGN})
endfunction()

function(zephyr_compile_definitions)
  add_compile_definitions(${ARGN})
  target_compile_definitions(app PRIVATE ${ARGN})
endfunction()

function(zephyr_library_named name)
  add_library(${name} OBJECT)
  target_include_directories(${name} PRIVATE $<TARGET_PROPERTY:app,INCLUDE_DIRECTORIES>)
  set_property(GLOBAL PROPERTY zephyr_double_library ${name})
  target_link_libraries(app PRIVATE ${name})
endfunction()

function(zephyr_library_sources)
  get_property(name GLOBAL PROPERTY zephyr_double_library)
  target_sources(${name} PRIVATE ${ARGN})
endfunction()

project(zephyr_double C CXX)
zephyr_double_read(${CMAKE_SOURCE_DIR}/prj.conf)
zephyr_double_read(${BOARD_CONF})
foreach(module IN LISTS ZEPHYR_EXTRA_MODULES)
  file(STRINGS ${module}/zephyr/Kconfig options REGEX "^config ")
  foreach(option IN LISTS options)
    string(REPLACE "config " "CONFIG_" option ${option})
    if(option MATCHES "_SELFTEST$" AND NOT NO_SELFTEST
       OR option MATCHES "_PROTOCOL$" AND NOT NO_PROTOCOL)
      set(${option} y) # its default
    endif()
  endforeach()
endforeach()

set(PLAYED ${ZEPHYR_DOUBLE}/../played)
add_executable(app ${ZEPHYR_DOUBLE}/zephyr_host.c ${PLAYED}/played.c ${PLAYED}/console.c
               ${DOUBLE_SOURCES})
target_include_directories(app PRIVATE ${ZEPHYR_DOUBLE} ${PLAYED} ${TFLM_DOUBLE})
target_link_libraries(app PRIVATE pthread)
if(NOT CONFIG_LOG_PRINTK)
  target_compile_definitions(app PRIVATE PRINTK_AT_ONCE)
endif()
foreach(module IN LISTS ZEPHYR_EXTRA_MODULES)
  add_subdirectory(${module}/zephyr ${CMAKE_BINARY_DIR}/module)
endforeach()
