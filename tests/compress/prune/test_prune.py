"""One pruning in memory: criterion, ranking, goals, and what the smaller network computes."""

from __future__ import annotations

import math

import numpy as np
import pytest

from asc_tiny import nets
from asc_tiny.complexity.gate.limits import Limits
from asc_tiny.util.errors import AscError

pytest.importorskip("tensorflow")

import keras
from keras import layers

from asc_tiny.compress.prune.channels import trace
from asc_tiny.compress.prune.criteria import CRITERIA, importance
from asc_tiny.compress.prune.goal import Rate, Table, Within, read_table
from asc_tiny.compress.prune.network import RankedNetwork
from asc_tiny.compress.prune.plan import MIN_FILTERS
from asc_tiny.nets.network import find
from support.our_networks import FILTERS

SHAPE = (16, 12, 3)
UNPRUNED = find("mini_segnet").unpruned

# The batch-norms that a convolution's channels pass before the next convolution takes them.
NORMS = {
    "mini_segnet": {name: [f"{name}_norm"] for name in FILTERS["mini_segnet"]},
    "mobilenet": {
        "low_conv1": ["low_conv1_norm"],
        "high_conv1": ["high_conv1_norm"],
        "low_conv2": ["low_conv2_norm", "high_conv2_norm", "down1_norm"],
        "point1": ["point1_norm"],
        "expand": ["expand_norm", "down2_norm"],
        "project": ["project_norm", "depth3_norm"],
        "point3": ["point3_norm"],
    },
}


def random_network(name: str, seed: int = 1):
    """A network whose batch-norms do something."""
    model = nets.build(name, SHAPE, 4)
    rng = np.random.default_rng(seed)
    for layer in model.layers:
        if isinstance(layer, layers.BatchNormalization):
            spread = rng.uniform(0.5, 2.0, (4, *layer.gamma.shape))
            layer.set_weights([spread[0], spread[1] - 1.0, spread[2] - 1.0, spread[3]])
        elif layer.weights:
            kernel, bias = layer.get_weights()
            inputs = math.prod(kernel.shape[:-1]) if "depth" not in layer.name else 9
            spread = math.sqrt(1.0 / inputs)
            layer.set_weights([rng.normal(0.0, spread, w.shape) for w in (kernel, bias)])
    return model


def silenced(model, gone: dict[str, list[int]]):
    """A copy of a network whose channels are 0 behind each batch-norm on their way."""
    copy = keras.models.clone_model(model)
    copy.set_weights(model.get_weights())
    for layer, indices in gone.items():
        for norm in NORMS[model.name][layer]:
            weights = copy.get_layer(norm).get_weights()
            weights[0][indices] = weights[1][indices] = 0.0
            copy.get_layer(norm).set_weights(weights)
    return copy


def scores(model):
    """Probabilities of some clips at inference."""
    clips = np.random.default_rng(5).normal(size=(4, *SHAPE)).astype(np.float32)
    return model(clips, training=False).numpy()


@pytest.fixture(params=["mini_segnet", "mobilenet"])
def network(request):
    return random_network(request.param)


@pytest.fixture(scope="module")
def segnet():
    return RankedNetwork.of(nets.build("mini_segnet", (256, 36, 3), 10), "l1", UNPRUNED)


def test_dead_filters_go_first_and_change_nothing(network):
    rng = np.random.default_rng(3)
    sizes = FILTERS[network.name]
    gone = {name: rng.permutation(sizes[name])[: sizes[name] // 2] for name in NORMS[network.name]}
    dead = silenced(network, gone)
    ranked = RankedNetwork.of(dead, "l1", UNPRUNED)
    removed = sum(sizes[name] // 2 for name in sizes)
    counts = ranked.counts(Rate(removed / ranked.start.total), ranked.start, 1)
    smaller = ranked.shrunk(counts)
    assert ranked.ranking.layer_filters(counts) == {name: size // 2 for name, size in sizes.items()}
    assert smaller.count_params() < 0.6 * network.count_params()
    np.testing.assert_allclose(scores(smaller), scores(dead), rtol=0, atol=1e-5)


@pytest.mark.parametrize("rate", [0.3, 0.7])
def test_the_smaller_network_is_the_big_one_with_the_channels_silenced(network, rate):
    ranked = RankedNetwork.of(network, "l1", UNPRUNED)
    counts = ranked.counts(Rate(rate), ranked.start, 1)
    removed = list(ranked.ranking.removed(counts))
    gone = {
        name: np.flatnonzero(np.isin(ranked.channels.producers[name], removed))
        for name in NORMS[network.name]
    }
    expected = scores(silenced(network, gone))
    np.testing.assert_allclose(scores(ranked.shrunk(counts)), expected, rtol=0, atol=1e-5)
    assert np.abs(expected - scores(network)).max() > 1e-3, "the channels matter"


def test_shrinking_leaves_the_network_as_it_is(network):
    before = network.get_weights()
    ranked = RankedNetwork.of(network, "l1", UNPRUNED)
    ranked.shrunk(ranked.counts(Rate(0.5), ranked.start, 1))
    for old, new in zip(before, network.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)


def test_l1_is_the_folded_filters_response_to_each_input():
    """Folding is linear: the response to a unit input, without that to none, is a weight."""
    model = random_network("mobilenet")
    layer, norm = model.get_layer("expand"), model.get_layer("expand_norm")
    inputs = layer.kernel.shape[2]
    probes = np.eye(inputs, dtype=np.float32)[:, None, None, :]
    responses = norm(layer(probes)) - norm(layer(0.0 * probes))
    sums = np.abs(responses.numpy()).sum(axis=(0, 1, 2))
    got = importance(model, trace(model), "expand", "l1")
    np.testing.assert_allclose(got, sums / sums.mean(), rtol=1e-4)


@pytest.mark.parametrize("criterion", CRITERIA)
def test_importance_does_not_depend_on_a_layers_scale(criterion):
    model = random_network("mini_segnet")
    before = importance(model, trace(model), "encoder2", criterion)
    norm = model.get_layer("encoder2_norm")
    norm.gamma.assign(10.0 * norm.gamma)
    after = importance(model, trace(model), "encoder2", criterion)
    np.testing.assert_allclose(before, after, rtol=1e-5)
    assert after.mean() == pytest.approx(1.0)


def test_tied_filters_share_their_importance():
    model = random_network("mobilenet")
    channels = trace(model)
    ranking = RankedNetwork.of(model, "l1").ranking
    group = next(g for g in ranking.groups if "low_conv2" in g.layers)
    assert sorted(group.layers) == ["high_conv2", "low_conv2"]
    both = [importance(model, channels, name, "l1") for name in group.layers]
    mean = dict(zip(channels.producers["low_conv2"].tolist(), np.mean(both, axis=0), strict=True))
    assert list(group.importance) == pytest.approx([mean[c] for c in group.channels])
    assert list(group.importance) == sorted(group.importance, reverse=True)


def test_the_least_important_filters_of_all_layers_go(segnet):
    counts = segnet.counts(Rate(0.4), segnet.start, 1)
    assert sum(counts) == 480 - 192
    groups = segnet.ranking.groups
    stay = [
        v for g, n in zip(groups, counts, strict=True) if n > MIN_FILTERS for v in g.importance[:n]
    ]
    go = [v for g, n in zip(groups, counts, strict=True) for v in g.importance[n:]]
    assert min(stay) >= max(go)


def test_the_tabled_pruning_has_the_reported_counts(segnet, tmp_path):
    path = tmp_path / "table.toml"
    path.write_text(
        "encoder1 = 7\nencoder2 = 12\nencoder3 = 76\ndecoder1 = 35\ndecoder2 = 8\ndecoder3 = 6\n"
    )
    counts = segnet.counts(Table(read_table(path)), segnet.start, 1)
    smaller = segnet.shrunk(counts)
    assert sum(math.prod(v.shape) for v in smaller.trainable_variables) == 46_232
    assert segnet.measure(segnet.ranking.layer_filters(counts)).macs == 19_466_240
    assert sum(counts) == 144, "70 % of 480 are gone"


@pytest.mark.parametrize(
    "limits",
    [
        Limits(max_params=46_232, max_macs=None),
        Limits(max_params=None, max_macs=20_000_000),
        Limits(max_params=None, max_macs=None, max_ram=300_000),
        Limits(max_params=100_000, max_macs=30_000_000),
    ],
)
def test_limits_are_met_with_as_many_filters_as_possible(segnet, limits):
    counts = segnet.counts(Within(limits), segnet.start, 1)
    assert not limits.exceeded(segnet.measure(segnet.ranking.layer_filters(counts)))
    one_more = segnet.ranking.removing(480 - sum(counts) - 1, 1)
    assert sum(one_more) == sum(counts) + 1
    assert limits.exceeded(segnet.measure(segnet.ranking.layer_filters(one_more)))


@pytest.mark.parametrize("multiple", [4, 16])
def test_counts_are_multiples(segnet, multiple):
    for goal in (Rate(0.6), Within(Limits(max_params=60_000, max_macs=None))):
        counts = segnet.counts(goal, segnet.start, multiple)
        assert all(count % multiple == 0 and count > 0 for count in counts)
    params = segnet.measure(segnet.ranking.layer_filters(counts)).params
    assert 30_000 < params <= 60_000


def test_some_filters_stay_in_each_layer(segnet):
    most = 1 - 6 * MIN_FILTERS / 480
    assert segnet.counts(Rate(most), segnet.start, 1) == [MIN_FILTERS] * 6
    with pytest.raises(AscError, match=r"--rate 0.97: at most 0.950 .* 4 stay in each layer"):
        segnet.counts(Rate(0.97), segnet.start, 1)


def test_a_limit_out_of_reach_names_the_smallest_figure(segnet):
    least = nets.build(
        "mini_segnet", (256, 36, 3), 10, filters=dict.fromkeys(segnet.ranking.filters, 4)
    )
    smallest = sum(math.prod(v.shape) for v in least.trainable_variables)
    with pytest.raises(AscError, match=f"has {smallest:,} parameters, .* over --max-params 1,000"):
        segnet.counts(Within(Limits(max_params=1000, max_macs=None)), segnet.start, 1)


def test_parts_of_a_goal_lead_to_it(segnet):
    start = segnet.start
    assert Rate(0.8).part(0.25, start) == Rate(0.2)
    limits = Limits(max_params=76_490, max_macs=None, max_ram=10**9)
    half = Within(limits).part(0.5, start).limits
    assert (half.max_params, half.max_macs, half.max_ram) == (176_490, None, 10**9)
    table = Table({"encoder1": 8, "encoder3": 24})
    assert table.part(0.5, start) == Table({"encoder1": 28, "encoder3": 124})
    for goal in (Rate(0.8), Within(limits), table):
        assert goal.part(1.0, start) == goal


@pytest.mark.parametrize(
    ("network", "table", "message"),
    [
        ("mini_segnet", {"encoder9": 4}, "encoder9 = 4, allowed: encoder1 1 to 48"),
        ("mini_segnet", {"encoder1": 49}, "encoder1 = 49, allowed: encoder1 1 to 48"),
        ("mini_segnet", {"encoder1": 0}, "encoder1 = 0, allowed"),
        ("mobilenet", {"low_conv2": 8}, "layers high_conv2, low_conv2 have their filters together"),
    ],
)
def test_a_table_that_does_not_fit_is_named(network, table, message):
    ranked = RankedNetwork.of(nets.build(network, SHAPE, 4), "l1", UNPRUNED)
    with pytest.raises(AscError, match=message):
        ranked.counts(Table(table), ranked.start, 1)


@pytest.mark.parametrize("text", ["encoder1 = 1.5", "[filters]\nencoder1 = true", "encoder1 = "])
def test_a_file_that_is_no_table_is_named(tmp_path, text):
    path = tmp_path / "table.toml"
    path.write_text(text)
    with pytest.raises(AscError, match=r"table.toml: (must give a whole number|not TOML)"):
        read_table(path)


@pytest.mark.parametrize("rate", [-0.1, 1.0, math.nan])
def test_a_rate_out_of_range_is_named(rate):
    with pytest.raises(AscError, match=r"--rate .* allowed are 0 to below 1"):
        Rate(rate)
