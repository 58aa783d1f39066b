# SPDX-License-Identifier: Apache-2.0
#
# TensorFlow Lite Micro as its own makefile builds it; README.md says how.
set(TFLM_ROOT "$ENV{TFLM_ROOT}" CACHE PATH "Sources of TensorFlow Lite Micro")
set(TFLM_LIB "$ENV{TFLM_LIB}" CACHE FILEPATH "libtensorflow-microlite.a, built from TFLM_ROOT")
set(TFLM_OPS "$ENV{TFLM_OPS}" CACHE PATH "Headers and sources of custom operators, if any")
set(TFLM_DOWNLOADS "${TFLM_ROOT}/tensorflow/lite/micro/tools/make/downloads")

if(NOT EXISTS "${TFLM_ROOT}/tensorflow/lite/micro/micro_interpreter.h")
  message(FATAL_ERROR "TFLM_ROOT=\"${TFLM_ROOT}\" holds no TensorFlow Lite Micro: give "
    "-DTFLM_ROOT=<its sources>, see README.md")
endif()
if(NOT EXISTS "${TFLM_DOWNLOADS}/flatbuffers/include")
  message(FATAL_ERROR "TFLM_ROOT=\"${TFLM_ROOT}\" lacks what its makefile downloads: build the "
    "library with it first, see README.md")
endif()
if(NOT EXISTS "${TFLM_LIB}" OR IS_DIRECTORY "${TFLM_LIB}")
  message(FATAL_ERROR "TFLM_LIB=\"${TFLM_LIB}\" is no library: give "
    "-DTFLM_LIB=<path>/libtensorflow-microlite.a, see README.md")
endif()

add_library(tflm STATIC IMPORTED)
# The makefile's options that change the layout of types or the meaning of headers.
set_target_properties(tflm PROPERTIES
  IMPORTED_LOCATION "${TFLM_LIB}"
  IMPORTED_LINK_INTERFACE_LANGUAGES CXX
  INTERFACE_INCLUDE_DIRECTORIES
    "${TFLM_ROOT};${TFLM_DOWNLOADS}/flatbuffers/include;${TFLM_DOWNLOADS}/gemmlowp"
  INTERFACE_COMPILE_DEFINITIONS TF_LITE_STATIC_MEMORY)
add_compile_options($<$<COMPILE_LANGUAGE:CXX>:-fno-rtti>
  $<$<COMPILE_LANGUAGE:CXX>:-fno-exceptions>
  $<$<COMPILE_LANGUAGE:CXX>:-fno-threadsafe-statics>
  $<$<COMPILE_LANGUAGE:CXX>:-funsigned-char>)

# How floating-point numbers are passed must be the same in all that is linked.
if(CMAKE_CROSSCOMPILING)
  execute_process(COMMAND ${CMAKE_READELF} -A ${TFLM_LIB} OUTPUT_VARIABLE TFLM_ATTRIBUTES
    RESULT_VARIABLE TFLM_UNREADABLE ERROR_VARIABLE TFLM_MESSAGES)
  if(TFLM_UNREADABLE OR NOT TFLM_ATTRIBUTES MATCHES "Tag_CPU_arch")
    message(FATAL_ERROR "TFLM_LIB=\"${TFLM_LIB}\" is no library for Arm: build it with "
      "TARGET=cortex_m_generic, see README.md")
  endif()
  if(TFLM_ATTRIBUTES MATCHES "Tag_ABI_VFP_args: VFP registers")
    set(TFLM_FLOAT_ABI hard)
  else()
    set(TFLM_FLOAT_ABI softfp)
  endif()
  add_compile_options(-mfloat-abi=${TFLM_FLOAT_ABI})
  add_link_options(-mfloat-abi=${TFLM_FLOAT_ABI})
endif()

# Compiles the kernels of custom operators without warnings, which are their author's, and links them.
function(tflm_add_operators library)
  if(NOT TFLM_OPS)
    return()
  endif()
  if(NOT IS_DIRECTORY "${TFLM_OPS}")
    message(FATAL_ERROR "TFLM_OPS=\"${TFLM_OPS}\" is no folder")
  endif()
  target_include_directories(${library} SYSTEM PRIVATE "${TFLM_OPS}")
  file(GLOB sources CONFIGURE_DEPENDS
    "${TFLM_OPS}/*.c" "${TFLM_OPS}/*.cc" "${TFLM_OPS}/*.cpp")
  if(sources)
    add_library(tflm_operators OBJECT ${sources})
    target_include_directories(tflm_operators PRIVATE "${TFLM_OPS}")
    target_compile_options(tflm_operators PRIVATE -w)
    target_link_libraries(tflm_operators PRIVATE tflm)
    target_sources(${library} PRIVATE $<TARGET_OBJECTS:tflm_operators>)
  endif()
endfunction()
