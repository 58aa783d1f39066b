"""Trees of each layout, written by hand: what is found in them, and what is refused."""

from __future__ import annotations

import os
import tracemalloc
from pathlib import Path

import pytest

from asc_tiny.audio.layouts.listing import Options, Recording
from asc_tiny.audio.layouts.registry import LAYOUTS, recordings
from asc_tiny.util.errors import AscError
from support.recordings import text, write_noise


def read(source: Path, layout: str = "", **options: object) -> dict[str, Recording]:
    """The recordings by name, of the layout that must be found."""
    name, found = recordings(source, "", Options(**options))  # type: ignore[arg-type]
    assert name == (layout or name)
    return {each.name: each for each in found}


def error(source: Path, layout: str = "", **options: object) -> str:
    with pytest.raises(AscError) as caught:
        recordings(source, layout, Options(**options))  # type: ignore[arg-type]
    message = str(caught.value)
    assert "\n" not in message and len(message) < 600
    return message


def label(recording: Recording) -> str:
    (section,) = recording.sections
    return section.label


FOLDERS = ("fan/a.wav", "fan/hall-1/b.wav", "fan/hall-1/deep/c.wav", "pump/hall-1/d.flac")


def test_folders(tmp_path: Path) -> None:
    write_noise(tmp_path, FOLDERS)
    (tmp_path / "fan" / "._a.wav").write_bytes(b"what another system leaves")
    text(tmp_path / "fan" / "notes.md", "no audio")
    found = read(tmp_path, "folders")
    assert [label(found[name]) for name in FOLDERS] == ["fan", "fan", "fan", "pump"]
    groups = [found[name].identifier for name in FOLDERS]
    # A place is the same in both classes; a file on its own is a group of its own.
    assert groups == ["file-fan/a", "place-hall_1", "place-hall_1", "place-hall_1"]
    assert len(found) == 4
    files = read(tmp_path, group="file")
    assert len({each.identifier for each in files.values()}) == 4
    by_name = read(tmp_path, group=r"([a-d])\.", device=r"\.(\w+)$")
    assert by_name["pump/hall-1/d.flac"].identifier == "group-d"
    assert by_name["pump/hall-1/d.flac"].device == "flac"
    assert read(tmp_path, device="phone")["fan/a.wav"].device == "phone"


def test_folders_that_are_refused(tmp_path: Path) -> None:
    write_noise(tmp_path, FOLDERS)
    assert "fan/a.wav: lies in no folder of its own" in error(tmp_path, group="folder")
    assert "finds no name in 'fan/a.wav'" in error(tmp_path, group="hall-(.)")
    assert "no regular expression" in error(tmp_path, group="hall-(")
    assert "has no parentheses" in error(tmp_path, group="hall")
    assert "has no class 'valve', found: fan, pump" in error(tmp_path, classes=("valve", "fan"))
    assert "one class, 'fan'; at least two" in error(tmp_path, classes=("fan",))
    (tmp_path / "empty").mkdir()
    assert error(tmp_path).startswith(f"{tmp_path}/empty: class without recordings")
    assert read(tmp_path, classes=("fan", "pump"))
    write_noise(tmp_path, ["x.wav"])
    assert f"{tmp_path}/x.wav: lies in no folder" in error(tmp_path)


def test_names_that_are_refused(tmp_path: Path) -> None:
    write_noise(tmp_path, ["a/x.wav", "Fan/x.wav", "fan /x.wav"])
    assert "class 'fan '" in error(tmp_path)
    write_noise(tmp_path / "2", ["Fan/x.wav", "fan/x.wav"])
    assert "'Fan' and 'fan' differ in case or blanks alone" in error(tmp_path / "2")
    write_noise(tmp_path / "3", ["a/x.wav", "b\tc/x.wav"])
    assert "has characters that cannot be printed" in error(tmp_path / "3")


def test_loops_of_links(tmp_path: Path) -> None:
    write_noise(tmp_path / "data", ["a/x.wav", "b/x.wav"])
    (tmp_path / "data" / "a" / "again").symlink_to(tmp_path / "data", target_is_directory=True)
    assert "a/again: is a link to a folder that it lies in" in error(tmp_path / "data")
    (tmp_path / "data" / "a" / "again").unlink()
    write_noise(tmp_path, ["elsewhere/y.wav"])
    (tmp_path / "data" / "c").symlink_to(tmp_path / "elsewhere", target_is_directory=True)
    assert set(read(tmp_path / "data")) == {"a/x.wav", "b/x.wav", "c/y.wav"}


def test_what_is_no_file(tmp_path: Path) -> None:
    write_noise(tmp_path, ["a/x.wav", "b/x.wav"])
    os.mkfifo(tmp_path / "a" / "pipe.wav")
    assert f"{tmp_path}/a/pipe.wav: no regular file, nor a link to one" in error(tmp_path)
    (tmp_path / "a" / "pipe.wav").unlink()
    (tmp_path / "b" / "gone.wav").symlink_to("nothing.wav")
    assert "b/gone.wav: no regular file" in error(tmp_path)
    (tmp_path / "b" / "gone.wav").unlink()
    (tmp_path / "b" / "/".join("d" * 70)).mkdir(parents=True)
    assert "folders in folders, more than 64 deep" in error(tmp_path)


ESC50 = (
    "filename,fold,target,category,esc10,src_file,take",
    "1-100032-A-0.wav,1,0,dog,True,100032,A",
    "1-100032-B-0.wav,1,0,dog,True,100032,B",
    "5-9032-A-0.wav,5,0,dog,True,9032,A",
    "2-102106-A-49.wav,2,49,hand_saw,False,102106,A",
    "3-1-A-1.wav,3,1,rooster,True,1,A",
)


def test_esc50(tmp_path: Path) -> None:
    text(tmp_path / "meta" / "esc50.csv", *ESC50)
    write_noise(tmp_path / "audio", [row.split(",")[0] for row in ESC50[1:]])
    found = read(tmp_path, "esc50")
    dog = found["audio/1-100032-B-0.wav"]
    assert (label(dog), dog.part, dog.identifier) == ("dog", "1", "fold1-100032")
    assert (dog.licence, dog.url) == ("CC BY", "https://freesound.org/s/100032/")
    assert found["audio/2-102106-A-49.wav"].licence == "CC BY-NC"
    assert len(found) == 5
    _, ten = recordings(tmp_path, "esc10", Options())
    assert {label(each) for each in ten} == {"dog", "rooster"}


@pytest.mark.parametrize(
    ("row", "old", "new", "expected"),
    [
        (0, "category", "class", "esc50.csv:1: column 'category' is missing, found: filename, "),
        (1, ",1,", ",6,", "esc50.csv:2: fold '6', allowed: 1, 2, 3, 4, 5"),
        (2, ",1,", ",2,", "esc50.csv:3: src_file '100032' is in two folds, 1 and 2"),
        (2, "1-1", "../1-1", "esc50.csv:3: '../1-100032-B-0.wav': must be a path below"),
        (3, "5-9", "/5-9", "esc50.csv:4: '/5-9032-A-0.wav': must be a path below"),
        (4, "49.wav", "48.wav", "esc50.csv:5: '2-102106-A-48.wav': file is missing"),
        (5, ",A", "", "esc50.csv:6: 6 fields, the header has 7"),
        (5, "rooster", "roo\x07ster", "esc50.csv:6: class 'roo\\x07ster', allowed: 1 to 255"),
        (5, "1,rooster", '1,"rooster', "esc50.csv:6: "),
    ],
)
def test_esc50_that_is_refused(tmp_path: Path, row: int, old: str, new: str, expected: str) -> None:
    rows = list(ESC50)
    assert old in rows[row]
    rows[row] = rows[row].replace(old, new, 1)
    write_noise(tmp_path / "audio", [row.split(",")[0] for row in ESC50[1:]])
    text(tmp_path / "meta" / "esc50.csv", *rows)
    message = error(tmp_path)
    assert expected in message


SPEECH = (
    "yes/aa_nohash_0.wav", "yes/aa_nohash_1.wav", "yes/bb_nohash_0.wav", "no/cc_nohash_0.wav",
    "no/bb_nohash_0.wav", "cat/dd_nohash_0.wav", "_background_noise_/pink.wav",
)  # fmt: skip


def test_speech_commands(tmp_path: Path) -> None:
    write_noise(tmp_path, SPEECH)
    text(tmp_path / "validation_list.txt", "no/bb_nohash_0.wav", "yes/bb_nohash_0.wav")
    text(tmp_path / "testing_list.txt", "no/cc_nohash_0.wav")
    found = read(tmp_path, "speech_commands", classes=("yes", "no", "silence"), others="unknown")
    assert [found[name].part for name in SPEECH] == [
        *("train", "train", "evaluate", "test", "evaluate", "train", "train")
    ]
    assert [label(found[name]) for name in SPEECH] == [
        *("yes", "yes", "yes", "no", "no", "unknown", "silence")
    ]
    assert found["yes/aa_nohash_0.wav"].identifier == "speaker-aa"
    assert label(read(tmp_path, background="hum")["_background_noise_/pink.wav"]) == "hum"
    text(tmp_path / "testing_list.txt", "no/zz_nohash_0.wav")
    assert "testing_list.txt:1: 'no/zz_nohash_0.wav': file is missing" in error(tmp_path)
    text(tmp_path / "testing_list.txt", "", "no/bb_nohash_0.wav")
    assert "testing_list.txt:2: 'no/bb_nohash_0.wav': also in" in error(tmp_path)
    text(tmp_path / "testing_list.txt", "yes/aa_nohash_1.wav")
    message = error(tmp_path)
    assert "group 'speaker-aa' is in two parts of the split, train and test" in message


TABLE = (
    "file;class;where;mic;licence",
    "x/1.wav;fan;hall;phone;CC0",
    '"x/2.wav";pump; hall ;"";own',
)


def test_a_table(tmp_path: Path) -> None:
    path = text(tmp_path / "list.csv", *TABLE)
    write_noise(tmp_path, ["x/1.wav", "x/2.wav"])
    columns = {"path": "file", "label": "class", "group": "where", "device": "mic"}
    found = read(path, "csv", columns=columns)
    one, two = found.values()
    assert (label(one), one.identifier, one.device, one.licence) == (
        *("fan", "group-hall", "phone", "CC0"),
    )
    assert (label(two), two.identifier, two.device, two.licence) == (
        *("pump", "group-hall", "a", "own"),
    )
    text(path, "path,label,split,start,end", "x/1.wav,fan,1,0.25,0.5", "x/2.wav,pump,02,,")
    one, two = read(path).values()
    assert (one.identifier, one.part, two.part) == ("file-x/1", "1", "2")
    assert (one.sections[0].start_s, one.sections[0].end_s) == (0.25, 0.5)
    assert two.sections[0].end_s is None


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        (
            ["path,class", "x/1.wav,fan"],
            "list.csv:1: column 'label' is missing, found: path, class",
        ),
        ([], "list.csv:1: column 'path' is missing, found: nothing"),
        (["path,label,label"], "column 'label' is there twice"),
        (["path,label", "x/1.wav"], "list.csv:2: 1 fields, the header has 2"),
        (["path,label", "x/1.wav,"], "list.csv:2: label is empty"),
        (["path,label", "../y.wav,a"], "list.csv:2: '../y.wav': must be a path below"),
        (["path,label", "x,a"], "list.csv:2: 'x': file is missing"),
        (["path,label", f"{'x' * 5000},a"], "list.csv:2: 'xxx"),
        (["path,label,group", "x/1.wav,a,"], "list.csv:2: group is empty"),
        (["path,label,group", "x/1.wav,a,b", "x/1.wav,c,d"], "list.csv:3: group 'd' of"),
        (["path,label", "x/1.wav,a", "x/1.wav,b"], "list.csv:3: overlaps the region of another"),
        (["path,label,split", "x/1.wav,a,dev"], "split 'dev', allowed: train, evaluate, test, or"),
        (["path,label,split", "x/1.wav,a,0"], "split '0', allowed"),
        (["path,label,start", "x/1.wav,a,nan"], "start 'nan', must be a number of seconds"),
        (["path,label,start", "x/1.wav,a,-1"], "start '-1', must be a number of seconds"),
        (["path,label,start,end", "x/1.wav,a,2,1"], "ends at 1 s, which is not after its begin"),
        (["path,label,device", "x/1.wav,a,b\x1b[2J"], "device 'b\\x1b[2J'"),
        (["path,label,licence", "x/1.wav,a,b\x1b[2J"], "origin 'b\\x1b[2J'"),
    ],
)
def test_a_table_that_is_refused(tmp_path: Path, rows: list[str], expected: str) -> None:
    write_noise(tmp_path, ["x/1.wav", "x/2.wav"])
    assert expected in error(text(tmp_path / "list.csv", *rows))


def test_a_table_without_end(tmp_path: Path) -> None:
    """Rows are read one after the other: the first that is wrong ends a table of a gigabyte."""
    path = tmp_path / "list.csv"
    write_noise(tmp_path, ["1.wav"])
    path.write_bytes(b"path,label\n1.wav,a\n1.wav,\n" + b"1.wav,a\n" * 200_000)
    tracemalloc.start()
    assert "list.csv:3: label is empty" in error(path)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 20_000_000
    with path.open("r+b") as stream:
        stream.truncate(1 << 40)
    assert "allowed: up to 67108864" in error(path)


def test_label_tracks(tmp_path: Path) -> None:
    write_noise(tmp_path, ["day1/long.wav"], seconds=3.0)
    lines = ["1.5\t2.0\tpump", "\\\t100.0\t2000.0", "0.0\t1.25\tfan", "", "1.0\t1.5\tfan"]
    text(tmp_path / "day1" / "long.txt", *lines)
    (found,) = read(tmp_path, "audacity").values()
    assert found.identifier == "place-day1"
    got = [(s.label, s.start_s, s.end_s) for s in found.sections]
    assert got == [("pump", 1.5, 2.0), ("fan", 0.0, 1.25), ("fan", 1.0, 1.5)]


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (["0.0\t1.0"], "long.txt:1: 2 fields by tabs, must be begin, end and label"),
        (["x\t1.0\ta"], "long.txt:1: begin 'x', must be a number of seconds"),
        (["0\tinf\ta"], "long.txt:1: end 'inf', must be"),
        (["0,5\t1,0\ta"], "long.txt:1: begin '0,5', must be"),
        (["1.0\t1.0\ta"], "long.txt:1: region from 1 s to 1 s, must have a length"),
        (["0.0\t1.0\t"], "long.txt:1: class '', allowed: 1 to 255 bytes"),
        (["0.0\t2.0\ta", "1.0\t1.5\ta", "1.9\t3.0\tb"], "long.txt:3: overlaps the region of an"),
    ],
)
def test_label_tracks_that_are_refused(tmp_path: Path, lines: list[str], expected: str) -> None:
    write_noise(tmp_path, ["long.wav"])
    text(tmp_path / "long.txt", *lines)
    assert expected in error(tmp_path)


TAU = (
    "filename\tscene_label\tidentifier\tsource_label",
    "audio/airport-lisbon-1-0-0-a.wav\tairport\tlisbon-1\ta",
    "audio/bus-lyon-2-0-0-s1.wav\tbus\tlyon-2\ts1",
    "audio/bus-lyon-3-0-0-b.wav\tbus\tlyon-3\tb",
    "audio/airport-paris-4-0-0-c.wav\tairport\tparis-4\tc",
)


@pytest.fixture
def tau(tmp_path: Path) -> Path:
    text(tmp_path / "meta.csv", *TAU)
    names = [row.split("\t")[0] for row in TAU[1:]]
    setup = tmp_path / "evaluation_setup"
    text(setup / "fold1_train.csv", "filename\tscene_label", *(f"{n}\tx" for n in names[:3]))
    text(setup / "fold1_test.csv", "filename", names[3])
    return write_noise(tmp_path, names)


def test_dcase_2022(tau: Path) -> None:
    found = read(tau, "dcase")
    assert [each.part for each in found.values()] == ["train", "train", "train", "test"]
    bus = found["audio/bus-lyon-2-0-0-s1.wav"]
    assert (label(bus), bus.identifier, bus.device) == ("bus", "lyon-2", "s1")


@pytest.mark.parametrize("folder", ["split_setup", "evaluation_setup", "."])
def test_dcase_2024_and_2025(tau: Path, folder: str) -> None:
    names = [row.split("\t")[0] for row in TAU[1:]]
    text(tau / folder / "split5.csv", "filename", names[1])
    text(tau / folder / "test.csv", "filename", names[3])
    found = read(tau, subset="5")
    parts = {each.name: each.part for each in found.values()}
    assert parts == {names[1]: "train", names[3]: "test"}
    assert "no table of the subset '7', found: 5" in error(tau, subset="7")
    (tau / "evaluation_setup" / "fold1_train.csv").unlink()
    assert len(read(tau)) == 2  # the only table there is
    text(tau / folder / "split100.csv", "filename", *names[:3])
    assert "--subset chooses one of 5, 100" in error(tau)
    text(tau / folder / "split5.csv", "filename", "audio/none.wav")
    assert "split5.csv:2: 'audio/none.wav': is not listed in meta.csv" in error(tau, subset="5")
    text(tau / folder / "split5.csv", "filename", names[3])
    assert "also in" in error(tau, subset="5")


def test_a_place_on_both_sides_of_dcase(tau: Path) -> None:
    text(tau / "meta.csv", *(row.replace("\tlyon-3", "\tparis-4") for row in TAU))
    assert "group 'paris-4' is in two parts of the split, train and test" in error(tau)
    text(tau / "meta.csv", "filename\tsource_label", "x.wav\ta")
    assert "column 'scene_label' is missing" in error(tau)


def test_what_is_not_said(tmp_path: Path, tau: Path) -> None:
    assert f"{tmp_path}/none: no such folder" in error(tmp_path / "none")
    assert "no recordings (wav, flac, ogg, mp3)" in error(tmp_path / "evaluation_setup")
    assert "needs the table itself" in error(tau, "csv")
    assert "needs a folder" in error(tau / "meta.csv", "folders")
    assert "neither a folder nor a table" in error(tau / "audio" / TAU[1].split("\t")[0][6:])
    assert "not in the layout esc50, there is no meta/esc50.csv" in error(tau, "esc50")
    assert "--subset means nothing in the layout folders" in error(tau, "folders", subset="5")
    text(tau / "meta" / "esc50.csv", *ESC50)
    assert "may be esc50 or dcase; --layout chooses one" in error(tau)
    write_noise(tmp_path / "mixed", ["a/x.wav", "b/y.wav"])
    text(tmp_path / "mixed" / "a" / "x.txt", "0\t1\tfan")
    assert "a/x.wav has a label track beside it and b/y.wav has none" in error(tmp_path / "mixed")
    assert "b/y.wav: has no label track y.txt beside it" in error(tmp_path / "mixed", "audacity")


def test_more_recordings_than_allowed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("asc_tiny.audio.layouts.listing.MAX_RECORDINGS", 3)
    write_noise(tmp_path, FOLDERS)
    assert "more recordings than allowed: up to 3" in error(tmp_path)


def test_the_command_names_the_layouts() -> None:
    from asc_tiny.cli.data_prepare import LAYOUTS as NAMES

    assert tuple(LAYOUTS) == NAMES
