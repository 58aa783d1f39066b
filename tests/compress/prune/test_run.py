"""The iterative pruning of a run: resumable, repeatable, and a run like any other in the end."""

from __future__ import annotations

import csv
import dataclasses
import json
import shutil

import numpy as np
import pytest

from asc_tiny import nets
from asc_tiny.audio.dataset import Dataset
from asc_tiny.cli.main import main
from asc_tiny.complexity.gate.limits import Limits
from asc_tiny.train import recipe as recipes
from asc_tiny.util import locks
from asc_tiny.util.errors import AscError
from asc_tiny.util.files import sha256
from support import trained
from support.recipes import RECIPE, WITHOUT_NETWORK

pytest.importorskip("tensorflow")

from asc_tiny.compress.prune import run as prune_run
from asc_tiny.compress.prune.goal import Rate, Table, Within
from asc_tiny.compress.prune.network import RankedNetwork
from asc_tiny.compress.prune.run import Settings, prune, retraining_recipe
from asc_tiny.compress.quantize_run import quantize_run
from asc_tiny.tflm.interpreter import Interpreter
from asc_tiny.train import loop
from asc_tiny.train.run import Run

GOAL = Rate(0.6)
SETTINGS = Settings(steps=2, epochs_per_step=1, final_epochs=2, rate_max=0.02)


@pytest.fixture(scope="module")
def folder(synthetic, tmp_path_factory):
    return trained.copied(synthetic, tmp_path_factory.mktemp("prune"))


@pytest.fixture(scope="module")
def dataset(synthetic):
    return Dataset.load(synthetic)


@pytest.fixture(scope="module")
def source(folder):
    return Run(folder / trained.RUN)


def pruned(source, dataset, folder, name, **options):
    arguments = {"goal": GOAL, "settings": SETTINGS, "cache_folder": folder / "cache"} | options
    return prune(source, dataset, folder / name, **arguments)


@pytest.fixture(scope="module")
def points(source, dataset, folder):
    return pruned(source, dataset, folder, "whole")


def hashes(folder) -> dict[str, str]:
    """Hashes of all files but archives, which Zip dates, and the picture, which names the run."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    files = [path for path in files if path.suffix != ".npz" and path.name != "curve.png"]
    return {str(path.relative_to(folder)): sha256(path.read_bytes()) for path in files}


@pytest.mark.exhaustive
def test_filters_go_in_equal_parts(points):
    # Two layers that lose a filter together may lose one more than is asked for.
    for point, wanted in zip(points, [48, 34, 20], strict=True):
        assert wanted - 1 <= point.filters <= wanted
        assert point.rate == pytest.approx(1 - point.filters / 48)
    assert points[0].filters == 48
    assert [point.step for point in points] == [0, 1, 2]


def test_the_result_is_a_run_like_any_other(points, folder, source, dataset):
    run = Run(folder / "whole")
    model = nets.load(run.model_path)
    filters = run.recipe().filters
    assert {name: model.get_layer(name).filters for name in filters} == filters
    assert sum(filters.values()) == points[-1].filters
    assert points[-1].params == sum(int(np.prod(v.shape)) for v in model.trainable_variables)
    assert run.info().epochs == len(run.history()) == 2
    assert run.info().labels == source.info().labels
    assert run.info().evaluate_accuracy == points[-1].accuracy
    built = loop.build(run.recipe(), run.recipe().frontend.shape, 3)
    assert [w.shape for w in built.weights] == [w.shape for w in model.weights]


def test_the_result_can_be_quantized(points, folder, dataset, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(folder / "xdg"))
    data = quantize_run(Run(folder / "whole"), dataset)
    assert Interpreter(data, "pruned").input_shape == (16, 36, 3)


@pytest.mark.slow
def test_retraining_starts_from_the_kept_weights(points, folder, source, dataset, monkeypatch):
    """With a learning rate of almost 0, weights of the first step are the source's own."""
    settings = Settings(steps=1, epochs_per_step=1, final_epochs=1, rate_max=1e-12)
    pruned(source, dataset, folder, "frozen", settings=settings, goal=Table({"point2": 10}))
    old = nets.load(source.model_path).get_layer("point2").get_weights()[0][0, 0]
    new = nets.load(folder / "frozen" / "model.keras").get_layer("point2").get_weights()[0][0, 0]
    assert new.shape == (16, 10)
    distance = np.abs(new[:, :, None] - old[:, None, :]).max(axis=0).min(axis=1)
    assert distance.max() < 1e-6


@pytest.mark.slow
def test_the_unpruned_network_teaches_the_pruned_ones(points, source, dataset, folder):
    """As if the recipe named the source as its teacher, and unlike without one."""
    settings = dataclasses.replace(SETTINGS, steps=1, final_epochs=1, distil=True)
    # The first of the two steps of the fixture, which has no teacher.
    goal, untaught = Rate(GOAL.rate / 2), Run(folder / "whole" / "steps" / "01")
    pruned(source, dataset, folder, "taught", settings=settings, goal=goal)
    path = folder / "taught.toml"
    teacher = f'\n[distillation]\nteacher = "{source.model_path}"\n'
    path.write_bytes((folder / "taught" / "recipe.toml").read_bytes() + teacher.encode())
    network = RankedNetwork.of(nets.load(source.model_path), "l1")
    smaller = network.shrunk(network.counts(goal, network.start, 1))
    run = loop.train(
        recipes.load(path),
        dataset,
        folder / "by_recipe",
        initial=smaller,
        cache_folder=folder / "cache",
    )
    taught = Run(folder / "taught")
    assert run.model_sha256() == taught.model_sha256()
    assert untaught.recipe().sha256 == taught.recipe().sha256
    assert untaught.model_sha256() != taught.model_sha256()


def test_the_curve_is_written(points, folder, source):
    rows = list(csv.DictReader((folder / "whole" / "curve.csv").open()))
    assert [int(row["params"]) for row in rows] == [point.params for point in points]
    assert float(rows[0]["accuracy"]) == source.info().evaluate_accuracy
    assert (folder / "whole" / "curve.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("done", "stop"),
    [(1, 1), *(pytest.param(0, n, marks=pytest.mark.exhaustive) for n in (0, 1, 2))],
)
def test_a_killed_pruning_goes_on_to_the_same_bytes(
    points, source, dataset, folder, monkeypatch, done, stop
):
    """Killed in the first epoch of a step, or in an epoch in the middle of the last step.

    It is killed ``stop`` epochs after ``done`` steps, which are taken from the whole pruning.
    """
    whole, out = folder / "whole", folder / f"killed {done} {stop}"
    original, epochs = loop.Trainer.epoch, []
    if done:
        shutil.copytree(whole / "steps" / "01", out / "steps" / "01")
        shutil.copy(whole / "prune.json", out)

    def killed(self, epoch, data):
        row = original(self, epoch, data)
        if len(epochs) == stop:
            raise KeyboardInterrupt
        epochs.append(epoch)
        return row

    monkeypatch.setattr(loop.Trainer, "epoch", killed)
    with pytest.raises(KeyboardInterrupt):
        pruned(source, dataset, folder, out.name, resume=bool(done))
    monkeypatch.undo()
    assert not Run(out).model_path.exists()
    assert pruned(source, dataset, folder, out.name, resume=True) == points
    assert hashes(out) == hashes(whole)


def test_killed_after_training_it_does_not_train_again(
    points, source, dataset, folder, monkeypatch
):
    whole, out = folder / "whole", folder / "late"
    for name in ("prune.json", "steps"):
        (out / name).parent.mkdir(exist_ok=True)
    (out / "prune.json").write_bytes((whole / "prune.json").read_bytes())
    (out / "steps").symlink_to(whole / "steps")
    monkeypatch.setattr(prune_run, "train", None)
    assert pruned(source, dataset, folder, "late", resume=True) == points
    names = ("model.keras", "recipe.toml", "run.json", "history.csv", "curve.csv")
    for name in names:
        assert (out / name).read_bytes() == (whole / name).read_bytes(), name


def test_a_pruning_is_not_overwritten(points, source, dataset, folder):
    with pytest.raises(AscError, match="holds a pruning already; use --resume"):
        pruned(source, dataset, folder, "whole")
    with pytest.raises(AscError, match="holds a run already; use another folder"):
        pruned(source, dataset, folder, source.root.name, resume=True)


def test_a_second_pruning_in_the_same_folder_is_refused(points, source, dataset, folder):
    another = pytest.raises(AscError, match="whole: is being written by another run")
    with locks.exclusive(folder / "whole"), another:
        pruned(source, dataset, folder, "whole", resume=True)
    pruned(source, dataset, folder, "whole", resume=True)


def test_resume_refuses_other_settings(points, source, dataset, folder):
    with pytest.raises(AscError, match=r"goal = {'rate': 0.6}, cannot resume with {'rate': 0.5}"):
        pruned(source, dataset, folder, "whole", goal=Rate(0.5), resume=True)


def test_a_goal_out_of_reach_is_refused_before_anything_is_written(source, dataset, folder):
    goal = Within(Limits(max_params=None, max_macs=10))
    with pytest.raises(AscError, match=r"smallest network .* MACs, .* over --max-macs 10"):
        pruned(source, dataset, folder, "nothing", goal=goal)
    assert not (folder / "nothing").exists()


def test_a_start_that_fails_leaves_nothing(source, dataset, folder):
    recipe = dataclasses.replace(source.recipe(), freeze=("no such layer",))
    with pytest.raises(AscError, match="fits no layer"):
        pruned(source, dataset, folder, "nothing", retraining=recipe)
    assert not (folder / "nothing").exists()


def test_another_dataset_is_refused(source, folder, esc10):
    with pytest.raises(AscError, match="was trained on another data set"):
        pruned(source, Dataset.load(esc10), folder, "nothing")


def test_an_unfinished_run_is_refused(source, dataset, folder):
    values = json.loads(source.info_path.read_text()) | {"epochs": 0, "evaluate_accuracy": None}
    unfinished = Run(folder / "unfinished")
    unfinished.root.mkdir()
    unfinished.info_path.write_text(json.dumps(values))
    with pytest.raises(AscError, match="the run is not complete"):
        pruned(unfinished, dataset, folder, "nothing")


def test_the_retraining_recipe_is_its_own_file(source, folder):
    recipe = source.recipe()
    changed = retraining_recipe(recipe, None, {"point1": 20}, epochs=7, rate_max=0.01)
    path = folder / "changed.toml"
    path.write_bytes(changed.source)
    assert recipes.load(path) == changed
    assert changed.filters == {"point1": 20}
    assert changed.schedule.cycles == (7,)
    assert changed.schedule.batch == recipe.schedule.batch
    assert changed.augmentation == recipe.augmentation


def run_main(capsys, *arguments):
    with pytest.raises(SystemExit) as ended:
        main(["prune", *map(str, arguments)])
    return ended.value.code, capsys.readouterr()


def test_another_recipe_to_retrain_by_gives_all_but_the_network(source, folder, dataset):
    recipe = dataclasses.replace(source.recipe(), filters={"first": 12})
    path = folder / "retraining.toml"
    path.write_text(RECIPE + "[distillation]\nweight = 0.9\n[averaging]\nkind = 'ema'\n")
    other = recipes.load(path)
    changed = retraining_recipe(recipe, other, {"point1": 20}, epochs=7, rate_max=0.01)
    assert changed.filters == {"first": 12, "point1": 20}
    assert changed.network_folder == source.network_folder
    assert (changed.distillation.weight, changed.averaging.kind) == (0.9, "ema")
    assert changed.schedule.cycles == (7,)
    path.write_text(RECIPE.replace("n_mels = 16", "n_mels = 24"))
    with pytest.raises(AscError, match="--recipe: frontend is another one than the run's"):
        pruned(source, dataset, folder, "other", retraining=recipes.load(path))


def test_cubic_steps_are_small_at_the_end():
    settings = dataclasses.replace(SETTINGS, steps=4, schedule="cubic")
    shares = [settings.share(step) for step in (1, 2, 3, 4)]
    assert shares == [1 - 27 / 64, 1 - 8 / 64, 1 - 1 / 64, 1]
    linear = dataclasses.replace(SETTINGS, steps=4)
    assert [linear.share(step) for step in (1, 2, 3, 4)] == [0.25, 0.5, 0.75, 1]
    with pytest.raises(AscError, match="--schedule sudden: allowed are linear, cubic"):
        dataclasses.replace(SETTINGS, schedule="sudden")


def test_command_line(source, synthetic, folder, capsys, monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(folder / "xdg"))
    options = ["--data", synthetic, "--steps", 1, "--final-epochs", 1, "--max-params", "2K"]
    out = tmp_path / "out"
    code, printed = run_main(capsys, source.root, "--out", out, "--multiple", 4, *options)
    assert code == 0, printed.err
    params = int(printed.out.splitlines()[2].split()[3].replace(",", ""))
    assert 1_000 < params <= 2_000
    assert all(count % 4 == 0 for count in Run(out).recipe().filters.values())
    assert Run(out).recipe().schedule.rate_max == pytest.approx(0.02), "a fifth of the recipe's"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ([], "give one goal"),
        (["--rate", "0.5", "--max-params", "4K"], "give one goal"),
        (["--rate", "1.5"], "--rate 1.5: allowed are 0 to below 1"),
        (["--rate", "0.5", "--criterion", "luck"], "--criterion luck: allowed are l1, l2, gamma"),
        (["--max-macs", "few"], "--max-macs few: must be a whole number"),
        (["--keep", "absent.toml"], "absent.toml: cannot read"),
        (["--rate", "0.5", "--learning-rate", "0"], "--learning-rate 0: allowed are above 0"),
    ],
)
def test_bad_options_are_one_line(source, synthetic, tmp_path, capsys, options, message):
    out = tmp_path / "out"
    code, printed = run_main(capsys, source.root, "--data", synthetic, "--out", out, *options)
    assert code == 2
    assert message in printed.err
    assert len(printed.err.splitlines()) == 1
    assert not out.exists()


@pytest.mark.exhaustive
def test_a_trained_network_survives_pruning(dataset, folder):
    path = folder / "learn.toml"
    text = WITHOUT_NETWORK.replace(
        "cycles = [3]\nbatch = 6", "cycles = [40]\nrate_max = 0.05\nbatch = 5"
    )
    more = "quantise_input = true\nmixup_alpha = 0.0\n"
    path.write_text('network = "mini_segnet"\nseed = 3\n' + text + more)
    run = loop.train(recipes.load(path), dataset, folder / "learn", cache_folder=folder / "cache")
    settings = Settings(steps=3, epochs_per_step=5, final_epochs=10, rate_max=0.01)
    points = pruned(run, dataset, folder, "learnt", settings=settings, goal=Rate(0.7))
    assert points[0].accuracy > 0.7, "1/3 by chance"
    assert points[-1].accuracy >= points[0].accuracy - 0.17, "one of the 6 clips"
