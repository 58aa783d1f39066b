"""The stand-in platform: the Arm toolchain of the system, an emulated core's linker script."""

from SCons.Script import Default, DefaultEnvironment

env = DefaultEnvironment()
core = ["-mcpu=cortex-m4", "-mthumb", "--specs=nano.specs", "--specs=nosys.specs"]
strict = ["-Wall", "-Wextra", "-Wconversion", "-Werror"]
env.Replace(
    AR="arm-none-eabi-ar",
    CC="arm-none-eabi-gcc",
    CXX="arm-none-eabi-g++",
    LINK="arm-none-eabi-g++",
    RANLIB="arm-none-eabi-ranlib",
    SIZETOOL="arm-none-eabi-size",
    PROGNAME="firmware",
    PROGSUFFIX=".elf",
)
env.Append(
    CCFLAGS=[*core, *strict, "-O2", "-ffunction-sections"],
    CFLAGS=["-std=gnu11"],
    CXXFLAGS=["-std=gnu++14", "-fno-rtti", "-fno-exceptions", "-fno-threadsafe-statics"],
    LINKFLAGS=[*core, "-nostartfiles", "-Wl,--gc-sections"],
)
Default([env.BuildProgram()])
