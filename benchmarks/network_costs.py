"""What networks compiled ahead of time cost on each core: instructions and code bytes.

    python benchmarks/network_costs.py [--cpu NAME] [--missing] [--out FILE]

Instructions are counted per stage on emulated cores, over the released networks and the small,
common and random ones of the tests. Per kind of kernel, the costs of its features are fitted
(asc_tiny/compiler/stage_costs.py). The error that is written is that of networks that the fit has
not seen: each is estimated from all others. Kernels that none of these networks has are measured
in small ones of their own (benchmarks/kernel_probes.py). ``--missing`` measures only kernels that
the table does not have, such as new ones, and leaves all other figures as they are. Needs
TensorFlow, compilers and emulators (tools/setup.sh test).
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from elftools.elf.elffile import ELFFile
from elftools.elf.relocation import RelocationSection
from elftools.elf.sections import SymbolTableSection
from scipy.optimize import nnls

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests"))

from kernel_probes import INT16, probes

from asc_tiny.boards import catalog
from asc_tiny.compiler.options import Options
from asc_tiny.compiler.planner.compiled import Compiled
from asc_tiny.compiler.stage_costs import Features, features, kind
from asc_tiny.firmware.network import compiled
from asc_tiny.firmware.network.constants import constants
from asc_tiny.firmware.runtime import runtime_sources
from asc_tiny.model.model_file import ModelFile, load
from asc_tiny.util.captured_output import captured_output
from asc_tiny.util.errors import AscError
from support.emulated import emulate, write_platform
from support.keras_networks import COMMON, RELEASED, random_network
from support.native import FLAGS, write
from support.network_models import SMALL, quantized

OUT = ROOT / "asc_tiny" / "compiler" / "cpu_costs.json"
SEEDS = range(60, 72)
MUCH = 1 << 20
"""Bytes of memory that the encoder and decoders may have, to save instructions."""


@dataclass(frozen=True)
class Cpu:
    """A core: the emulated board that runs its code, and flags if they are not the board's."""

    board: str
    flags: tuple[str, ...] = ()


CPUS = {
    "cortex-m0plus": Cpu("mps2-an385", ("-mcpu=cortex-m0plus", "-mthumb")),
    "cortex-m3": Cpu("mps2-an385"),
    "cortex-m4": Cpu("mps2-an386"),
    "cortex-m7": Cpu("mps2-an500"),
    "cortex-m33": Cpu("mps2-an505"),
    "cortex-m55": Cpu("mps3-an547"),
    "rv32imc": Cpu("virt-rv32"),
}


@dataclass(frozen=True)
class Measured:
    """A network on a core.

    Attributes:
        name: the name of the network.
        stages: kind, features, multiply-accumulates and instructions of each stage.
    """

    name: str
    stages: Sequence[tuple[str, Features, int, int]]

    @classmethod
    def of(cls, network: Network, profile: Sequence[int]) -> Measured:
        """Return a network with the instructions of its stages."""
        stages = network.compiled.lowered.stages
        found = [
            (kind(stage), features(stage), stage.macs, instructions)
            for stage, instructions in zip(stages, profile, strict=True)
        ]
        return cls(network.name, found)


@dataclass(frozen=True)
class Network:
    """A network that is measured.

    Attributes:
        name: the name of the network.
        compiled: what the compiler made of it.
        files: the code of the network, file name to text.
    """

    name: str
    compiled: Compiled
    files: Mapping[str, str]

    @classmethod
    def of(cls, name: str, model_file: ModelFile, options: Options) -> Network:
        """Compile a network.

        Raises:
            AscError: the compiler refuses it.
        """
        made = compiled.compile_network(model_file, options)
        return cls(name, made, compiled.generate(model_file, options=options))

    @property
    def kinds(self) -> set[str]:
        """The kinds of kernels that it runs."""
        return {kind(stage) for stage in self.compiled.lowered.stages}


def main() -> None:
    """Measure and write the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cpu", choices=list(CPUS), action="append")
    parser.add_argument("--missing", action="store_true", help="only kernels without figures")
    parser.add_argument("--out", type=Path, default=OUT)
    arguments = parser.parse_args()
    table = json.loads(arguments.out.read_text()) if arguments.out.exists() else {"cpus": {}}
    with tempfile.TemporaryDirectory() as folder:
        models = [] if arguments.missing else list(networks(Path(folder)))
        others = [Network.of(*probe) for probe in probes()]
        for name in arguments.cpu or CPUS:
            core = Core(CPUS[name], Path(folder) / name)
            table["cpus"][name] = add_missing(
                table["cpus"][name] if arguments.missing else costs(core, models), core, others
            )
            print(f"{name}: {table['cpus'][name]['error']}", file=sys.stderr)
            arguments.out.write_text(json.dumps(table, indent=1, sort_keys=True) + "\n")


def networks(folder: Path) -> Iterator[Network]:
    """Return the networks that the costs of most kernels and the error are from."""
    for name in RELEASED:
        yield Network.of(name, load(ROOT / "models" / f"{name}.tflite"), Options())
    made = {
        **SMALL,
        **COMMON,
        "encoder": encoder,
        **{f"windows{n}": lambda sizes=sizes: windows(*sizes) for n, sizes in enumerate(IMAGES)},
        **{f"gaps{n}": lambda sizes=sizes: gaps(*sizes) for n, sizes in enumerate(IMAGES)},
        "pools": pools,
        **{name: lambda sizes=sizes: decoder(*sizes) for name, sizes in DECODERS.items()},
        **{f"small_{n}": lambda sizes=sizes: decoder(*sizes) for n, sizes in DECODERS.items()},
        **{f"random{n}": lambda n=n: random_network(n) for n in SEEDS},
    }
    for codes, suffix in (("int16", INT16), ("int8", "")):
        for name, make in made.items():
            path = folder / f"{name}{suffix}.tflite"
            with captured_output():
                data = quantized(make(), codes=codes)
            path.write_bytes(data)
            try:
                options = Options(max_ram=MUCH if name in {"encoder", *DECODERS} else None)
                yield Network.of(f"{name}{suffix}", load(path), options)
            except AscError as error:
                # Not all operators have kernels of 16 bits.
                if codes == "int8":
                    raise
                print(error, file=sys.stderr)


def encoder() -> Any:
    """Return the encoder of an image segmentation: convolutions of few to many values."""
    from keras import Input, Model, layers

    source = x = Input((24, 48, 3), batch_size=1)
    for filters, kernel, stride in (
        (10, (3, 3), 1),
        (16, (1, 1), 1),
        (36, (2, 3), 2),
        (20, (1, 1), 1),
        (64, (3, 3), 2),
        (24, (1, 1), 1),
        (48, (3, 1), 2),
        (76, (2, 3), 1),
    ):
        x = layers.Conv2D(filters, kernel, strides=stride, padding="same", activation="relu")(x)
    return Model(source, layers.GlobalAveragePooling2D()(x))


def decoder(rows: int, columns: int, *filters: int) -> Any:
    """Return the decoder of an image segmentation: convolutions of upsampled maps, many to few.

    Args:
        rows, columns: pixels of the smallest map.
        filters: channels of that map and of the convolutions, each of which doubles its size.
    """
    from keras import Input, Model, layers

    source = x = Input((rows, columns, filters[0]), batch_size=1)
    for number, channels in enumerate(filters[1:]):
        rows, columns = 2 * rows, 2 * columns
        # Layers for upsampling become other operators.
        x = layers.Resizing(rows, columns, interpolation="nearest")(x)
        kernel = (3 if number % 2 else 2, 3)
        x = layers.Conv2D(channels, kernel, padding="same", activation="relu")(x)
    return Model(source, layers.GlobalAveragePooling2D()(x))


def windows(rows: int, columns: int, channels: int) -> Any:
    """Return depthwise convolutions of several windows and strides on an image."""
    from keras import Input, Model, layers

    source = x = Input((rows, columns, channels), batch_size=1)
    for kernel, stride, multiplier in (
        ((3, 3), 1, 1),
        ((5, 5), 1, 1),
        ((2, 3), 1, 1),
        ((3, 3), 2, 2),
        ((3, 3), 1, 1),
        ((5, 3), 2, 1),
        ((3, 3), 1, 1),
    ):
        x = layers.DepthwiseConv2D(
            kernel, strides=stride, padding="same", depth_multiplier=multiplier, activation="relu"
        )(x)
    return Model(source, layers.GlobalAveragePooling2D()(x))


def gaps(rows: int, columns: int, channels: int) -> Any:
    """Return convolutions, depthwise ones too, whose windows have gaps, on an image."""
    from keras import Input, Model, layers

    source = x = Input((rows, columns, channels), batch_size=1)
    for filters, gap in ((2 * channels, 2), (channels + 2, 3), (3 * channels, (2, 1))):
        x = layers.Conv2D(filters, 3, dilation_rate=gap, padding="same", activation="relu")(x)
        x = layers.DepthwiseConv2D(3, dilation_rate=2, padding="same", activation="relu")(x)
    return Model(source, layers.GlobalAveragePooling2D()(x))


def pools() -> Any:
    """Return pooling over several windows, of few and of many channels."""
    from keras import Input, Model, layers

    source = Input((32, 30, 3), batch_size=1)
    x = layers.MaxPooling2D(2)(layers.MaxPooling2D((3, 2), strides=1)(source))
    x = layers.AveragePooling2D((2, 3), strides=1)(x)
    x = layers.Conv2D(18, 1)(x)
    x = layers.MaxPooling2D(2, strides=1)(layers.MaxPooling2D(3, strides=1, padding="same")(x))
    x = layers.AveragePooling2D(2)(x)
    return Model(source, layers.GlobalAveragePooling2D()(x))


IMAGES = ((24, 17, 12), (11, 9, 4), (8, 13, 32))
"""Rows, columns and channels of the inputs of networks of one kind of layer."""

DECODERS = {
    "decoder": (16, 4, 12, 36, 24, 10, 6),
    "wide_decoder": (8, 7, 96, 48, 32, 12),
    "flat_decoder": (6, 8, 16, 16, 12, 24),
}
"""Maps and channels of decoders."""


def costs(core: Core, models: Sequence[Network]) -> dict[str, Any]:
    """Measure one core."""
    measured = [Measured.of(model, core.profile(model)) for model in models]
    return {
        "board": core.cpu.board,
        "instructions": fit(measured),
        "per_mac": per_mac(measured),
        "error": errors(measured),
        "code": core.code(),
    }


def add_missing(table: dict[str, Any], core: Core, models: Sequence[Network]) -> dict[str, Any]:
    """Return a core's table with the kernels that it does not have, measured in ``models``."""
    known = set(table["instructions"])
    wanted = [model for model in models if model.kinds - known]
    found = fit([Measured.of(model, core.profile(model)) for model in wanted])
    code = core.code()
    return {
        **table,
        "instructions": {**found, **table["instructions"]},
        "code": {
            **table["code"],
            **{
                part: {**code[part], **table["code"][part]}
                for part in ("needs", "sections", "structures")
            },
        },
    }


class Core:
    """The runtime, compiled once, and images of networks with it."""

    def __init__(self, cpu: Cpu, folder: Path) -> None:
        self.cpu, self.folder = cpu, folder
        self.generated: list[tuple[Path, Network]] = []
        folder.mkdir()
        write(runtime_sources("nn"), folder)
        write_platform(catalog.get(cpu.board), folder, stack_bytes=4096)
        shutil.copy(Path(__file__).with_name("network_profile.c"), folder)
        self.board = catalog.get(cpu.board)
        flags = cpu.flags or self.board.core_flags
        toolchain = self.board.toolchain
        self.compiler = [toolchain.compiler, *flags, *toolchain.compiler_flags, *FLAGS]
        self.compiler += ["-ffunction-sections", "-fdata-sections", "-DASC_NET_PROFILE"]
        self.objects = [
            self.compile(path)
            for path in sorted(folder.glob("*.c"))
            if path.name != "network_profile.c"
        ]

    def compile(self, path: Path) -> Path:
        """Compile a C file beside itself."""
        target = path.with_suffix(".o")
        include = ["-I", str(self.folder)]
        subprocess.run([*self.compiler, *include, "-c", str(path), "-o", str(target)], check=True)
        return target

    def profile(self, network: Network) -> list[int]:
        """Return the instructions of every stage of a network, without what counting takes."""
        folder = self.folder / network.name
        folder.mkdir()
        for name, text in network.files.items():
            (folder / name).write_text(text)
        shutil.copy(self.folder / "network_profile.c", folder)
        objects = [self.compile(folder / n) for n in ("asc_net.c", "network_profile.c")]
        self.generated.append((objects[0], network))
        image = folder / "image.elf"
        script = f"-T{self.folder / 'link.ld'}"
        link = [*self.compiler, "-nostartfiles", "-Wl,--gc-sections", script]
        subprocess.run([*link, *map(str, (*objects, *self.objects)), "-o", str(image)], check=True)
        *stages, reading = map(int, emulate(self.board, image, []).split())
        return [
            instructions - reading * stage.runs
            # The image has a count for every number that a stage can have.
            for stage, instructions in zip(network.compiled.lowered.stages, stages, strict=False)
        ]

    def code(self) -> dict[str, Any]:
        """Return code bytes: of each section, and which sections each kernel needs."""
        objects = [Object(path) for path in self.objects if path.name.startswith("asc_")]
        owner = {name: section for each in objects for name, section in each.functions.items()}
        calls = {section: names for each in objects for section, names in each.calls.items()}
        sizes = {section: size for each in objects for section, size in each.sizes.items()}

        def closure(section: str) -> set[str]:
            found, wanted = set(), [section]
            while wanted:
                section = wanted.pop()
                if section not in found:
                    found.add(section)
                    names = calls.get(section, ())
                    wanted += [owner.get(name, name) for name in names]
            return found & set(sizes)

        return {
            "sections": sizes,
            "needs": {name: sorted(closure(section)) for name, section in owner.items()},
            "network": sum(Object(self.generated[-1][0]).sizes.values()),
            "structures": self.structures(),
        }

    def structures(self) -> dict[str, int]:
        """Return the bytes of each structure that networks are described with."""
        found: dict[str, int] = {}
        for path, network in self.generated:
            symbols = Object(path).symbols
            for constant in constants(network.compiled):
                # The compiler may have put the only value of an array into the code.
                if constant.name in symbols:
                    found[constant.c_type] = symbols[constant.name] // constant.count
        return found


class Object:
    """A compiled file with a section for each function and constant.

    Attributes:
        symbols: bytes of each object by name.
        functions: the section of each symbol.
        calls: symbols and sections that each section refers to.
        sizes: bytes of each section of code and of the runtime's constants.
    """

    def __init__(self, path: Path) -> None:
        self.symbols: dict[str, int] = {}
        self.functions: dict[str, str] = {}
        self.calls: dict[str, list[str]] = {}
        self.sizes: dict[str, int] = {}
        with path.open("rb") as stream:
            elf = ELFFile(stream)
            sections = list(elf.iter_sections())
            table = next(s for s in sections if isinstance(s, SymbolTableSection))
            symbols = list(table.iter_symbols())
            for symbol in symbols:
                index = symbol["st_shndx"]
                self.symbols[symbol.name] = symbol["st_size"]
                if isinstance(index, int) and symbol["st_info"]["type"] in (
                    "STT_FUNC",
                    "STT_OBJECT",
                ):
                    self.functions[symbol.name] = sections[index].name
            for section in sections:
                code = section.name.startswith(".text.")
                constant = section.name.startswith(".rodata.asc_") and path.stem != "asc_net"
                if (code or constant) and section["sh_size"]:
                    self.sizes[section.name] = section["sh_size"]
                if isinstance(section, RelocationSection):
                    target = sections[section["sh_info"]].name
                    names = [
                        self._name(sections, symbols[r["r_info_sym"]])
                        for r in section.iter_relocations()
                    ]
                    self.calls.setdefault(target, []).extend(names)

    @staticmethod
    def _name(sections: Sequence[Any], symbol: Any) -> str:
        if symbol["st_info"]["type"] == "STT_SECTION":
            return str(sections[symbol["st_shndx"]].name)
        return str(symbol.name)


def fit(measured: Sequence[Measured]) -> dict[str, dict[str, float]]:
    """Return the costs of each kind of kernel; those of both types are measured with int8."""
    narrow = _samples([each for each in measured if not each.name.endswith(INT16)])
    wide = _samples([each for each in measured if each.name.endswith(INT16)])
    return {name: _fit(samples) for name, samples in sorted({**wide, **narrow}.items())}


def _samples(measured: Sequence[Measured]) -> dict[str, list[tuple[Features, int]]]:
    """Return features and instructions of all stages by their kind."""
    kinds: dict[str, list[tuple[Features, int]]] = {}
    for network_ in measured:
        for name, values, _, instructions in network_.stages:
            kinds.setdefault(name, []).append((values, instructions))
    return kinds


def per_mac(measured: Sequence[Measured]) -> dict[str, float]:
    """Return instructions per multiply-accumulate of each kind, over the released networks."""
    released = [each for each in measured if each.name in RELEASED]
    sums: dict[str, list[int]] = {}
    for network_ in released:
        for name, _, macs, instructions in network_.stages:
            both = sums.setdefault(name, [0, 0])
            both[0] += macs
            both[1] += instructions
    return {n: round(spent / macs, 3) for n, (macs, spent) in sorted(sums.items()) if macs}


def _fit(samples: Sequence[tuple[Features, int]]) -> dict[str, float]:
    matrix = np.array([list(values) for values, _ in samples], float)
    target = np.array([instructions for _, instructions in samples], float)
    # Large operators decide what a network takes: their relative errors weigh more.
    weights = 1.0 / np.sqrt(np.maximum(target, 1000.0))
    solution, _ = nnls(matrix * weights[:, None], target * weights)
    return dict(zip(Features._fields, (round(float(v), 4) for v in solution), strict=True))


def errors(measured: Sequence[Measured]) -> dict[str, Any]:
    """Return the relative errors of networks, each estimated from the others."""
    found = {}
    for i, network_ in enumerate(measured):
        table = fit([*measured[:i], *measured[i + 1 :]])
        estimate = sum(_estimate(table, name, values) for name, values, *_ in network_.stages)
        true = sum(instructions for *_, instructions in network_.stages)
        found[network_.name] = round(estimate / true - 1.0, 4)
    magnitudes = {name: abs(value) for name, value in found.items()}
    large = [value for name, value in magnitudes.items() if name in RELEASED]
    small = [value for name, value in magnitudes.items() if name not in RELEASED]
    return {
        "released": round(max(large), 3),
        "mean": round(sum(small) / len(small), 3),
        "largest": round(max(small), 3),
        "networks": found,
    }


def _estimate(table: Mapping[str, Mapping[str, float]], name: str, values: Features) -> float:
    costs = table.get(name) or table.get(name.split(" ")[0], {})
    return sum(costs.get(n, 0.0) * v for n, v in values._asdict().items())


if __name__ == "__main__":
    main()
