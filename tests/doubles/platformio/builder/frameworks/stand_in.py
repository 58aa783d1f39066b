"""Adds what the test put into the folder of the platform's ``world`` to the program."""

from pathlib import Path

from SCons.Script import DefaultEnvironment

env = DefaultEnvironment()
world = Path(env.PioPlatform().get_dir()) / "world"
env.Append(CPPPATH=[str(world)], LINKFLAGS=[f"-Wl,-T{world / 'link.ld'}"])
env.Append(PIOBUILDFILES=env.CollectBuildFiles("$BUILD_DIR/world", str(world)))
