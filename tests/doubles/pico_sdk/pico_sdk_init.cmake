# SPDX-License-Identifier: Apache-2.0
#
# A double of the Pico SDK's build system: what the generated lists call of it. Not the SDK's.
set(DOUBLE ${CMAKE_CURRENT_LIST_DIR})

macro(pico_sdk_init)
  set(libraries hardware_clocks hardware_dma hardware_pio pico_multicore pico_stdlib)
  foreach(library IN LISTS libraries)
    add_library(${library} INTERFACE)
    target_include_directories(${library} INTERFACE ${DOUBLE})
  endforeach()
endmacro()

function(pico_generate_pio_header target pio)
  file(STRINGS ${pio} program REGEX "^\\.program ")
  string(REPLACE ".program " "" name "${program}")
  get_filename_component(file ${pio} NAME)
  file(
    WRITE ${CMAKE_BINARY_DIR}/generated/${file}.h
    "static const pio_program_t ${name}_program = {\"${name}\"};\n"
    "#define ${name}_program_get_default_config pio_double_config\n")
  target_include_directories(${target} PRIVATE ${CMAKE_BINARY_DIR}/generated)
endfunction()

function(pico_enable_stdio_usb target enabled)
  target_sources(${target} PRIVATE ${DOUBLE}/pico_sdk_host.c ${DOUBLE}/../played/played.c
                                   ${DOUBLE}/../played/console.c)
  target_include_directories(${target} PRIVATE ${DOUBLE}/../played)
  target_link_libraries(${target} PRIVATE pthread)
endfunction()

function(pico_enable_stdio_uart target enabled)
  if(enabled)
    message(FATAL_ERROR "text would go to a UART, too")
  endif()
endfunction()

function(pico_add_extra_outputs target)
endfunction()
