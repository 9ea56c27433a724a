"""N-grams: the exact best by brute force, words that add up to the decision, deletion, classes, other networks."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
import torch
from torch import nn

from cnnatomy.data.batches import to_tensor
from cnnatomy.dissect.ngrams import deleting, highlighting, voting
from cnnatomy.dissect.ngrams.show import against_counting
from cnnatomy.dissect.ngrams.slots import readers, slots, windows
from cnnatomy.exhibit import Table, Texts
from cnnatomy.exhibit.applying import DoesNotApply
from cnnatomy.exhibit.languages import language
from cnnatomy.exhibit.words import described
from cnnatomy.inspection.layers import LayerNotFound, trace
from cnnatomy.inspection.outputs import NoLogits
from cnnatomy.models.sentence import Sentence
from tests.unit.dissecting import shown
from tests.unit.small_data import VOCABULARY, hang, small

CONFIG = {
    "layers": None,
    "filters": 3,
    "ngrams": 2,
    "sentences": 1000,
    "purity": 0.75,
    "tested": 100,
    "deleted": 0.1,
    "draws": 3,
    "shown": 2,
}


def kim(padding: int | None = 0) -> Sentence:
    torch.manual_seed(0)
    net = Sentence(len(VOCABULARY), 2, 5, [1, 2, 3], 4, 0.0).eval()
    with torch.no_grad():
        net.embedding.weight.mul_(4)
        if padding is None:  # padding means something here
            net.embedding.weight[0] = torch.randn(5)
    return net


class Pictures(nn.Module):
    """Kim's network as many write it: a sentence is a picture; normalised, tanh, no padding, two dense layers."""

    def __init__(self) -> None:
        super().__init__()
        self.embedding = nn.Embedding(len(VOCABULARY), 6)
        self.conv = nn.Conv2d(1, 5, (3, 6), padding=(2, 0))
        self.norm = nn.BatchNorm2d(5)
        self.relu = nn.ReLU(inplace=True)
        self.hidden = nn.Linear(5, 8)
        self.dense = nn.Linear(8, 2)
        with torch.no_grad():
            self.norm.weight.copy_(torch.tensor([1.0, -1.0, 0.5, 2.0, 1.0]))
            self.norm.bias.normal_()
            self.norm.running_mean.normal_()

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        maps = self.relu(self.norm(self.conv(self.embedding(tokens)[:, None])))
        return self.dense(torch.tanh(self.hidden(maps.amax((2, 3)))))


class Deep(nn.Module):
    """Two convolutions, the second with gaps."""

    def __init__(self) -> None:
        super().__init__()
        self.embedding = nn.Embedding(len(VOCABULARY), 6)
        self.conv1 = nn.Conv1d(6, 4, 3, padding="same", dilation=2, groups=2)
        self.relu1 = nn.ReLU()
        self.conv2 = nn.Conv1d(4, 3, 2)
        self.relu2 = nn.ReLU()
        self.pool = nn.AdaptiveAvgPool1d(1)
        self.flatten = nn.Flatten()
        self.dense = nn.Linear(3, 2)

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        maps = self.relu2(self.conv2(self.relu1(self.conv1(self.embedding(tokens).transpose(1, 2)))))
        return self.dense(self.flatten(self.pool(maps)))


def found_readers(net: nn.Module, samples):
    return readers(trace(net, to_tensor(samples.facts, samples.inputs[:1])), samples.facts.shape[0])


@pytest.mark.parametrize("build", [kim, lambda: kim(None), Pictures, Deep])
def test_the_exact_best_and_lowest_are_those_of_all_windows_that_the_network_can_be_given(tmp_path, build):
    torch.manual_seed(0)
    net = build().eval()
    samples = small(tmp_path, "texts").split("test")
    for reader in found_readers(net, samples):
        sums = slots(net, reader, samples)
        if reader.layer.name == "conv2" and isinstance(net, Deep):
            assert sums is None  # no sum over words
            continue
        assert sums is not None
        # Every sentence of up to three words, through the network itself: all windows that hold a word.
        words = range(1, len(VOCABULARY))
        length = samples.facts.shape[0]
        few = [list(s) for n in (1, 2, 3) for s in product(words, repeat=n)]
        if isinstance(net, Deep):  # its windows have gaps: words at every second place, in a full sentence
            few = [[a, 1, b, 1, c, 1, 1, 1, 1] for a, b, c in product(words, repeat=3)]
        else:  # and at the end of a full sentence, where no padding follows
            few += [[1] * (length - 3) + list(s) for s in product(words, repeat=3)]
        inputs = np.zeros((len(few), length), dtype=np.int32)
        for row, sentence in zip(inputs, few, strict=True):
            row[: len(sentence)] = sentence
        every = windows(net, reader, _with(samples, inputs), len(inputs))
        for sign in (1, -1):
            tokens, values = sums.extreme(sign)
            again = sums.values(tokens)[torch.arange(reader.filters), torch.arange(reader.filters)].detach()
            torch.testing.assert_close(again, torch.from_numpy(values), check_dtype=False)
            best = (sign * every.values).max(axis=0)
            if isinstance(net, Deep):
                assert (sign * values >= best - 1e-5).all()  # windows at the edges aren't all tried here
                inside = (tokens != len(VOCABULARY)).all(axis=1) & (tokens != 0).all(axis=1)
                np.testing.assert_allclose(sign * values[inside], best[inside], rtol=1e-4, atol=1e-5)
            else:
                np.testing.assert_allclose(sign * values, best, rtol=1e-4, atol=1e-5)


def _with(samples, inputs):
    from dataclasses import replace

    return replace(samples, inputs=inputs, labels=np.zeros(len(inputs), dtype=np.int64))


def test_the_distinct_ngrams_are_those_of_the_sentences(tmp_path):
    net, samples = kim(), small(tmp_path, "texts").split("test")
    reader = found_readers(net, samples)[1]  # two words
    found = windows(net, reader, samples, 1000)
    seen = set()
    for tokens in samples.inputs:
        spelt = [len(VOCABULARY), *tokens[tokens > 0]]
        spelt += [0]
        seen |= set(zip(spelt, spelt[1:], strict=False))
    assert {tuple(int(t) for t in row) for row in found.ngrams} == seen
    assert len(found.which) == sum(int((row > 0).sum()) + 1 for row in samples.inputs)


def test_words_and_biases_add_up_to_the_log_odds(tmp_path):
    net, samples = kim(), small(tmp_path, "texts").split("test")
    few = found_readers(net, samples)
    sums = {reader.layer.name: slots(net, reader, samples) for reader in few}
    words, filters = highlighting.contributions(net, few, sums, samples.facts, samples.inputs)
    logits = net(to_tensor(samples.facts, samples.inputs)).detach().numpy()
    said = logits.argmax(1)
    rows = np.arange(len(said))
    odds = logits[rows, said] - logits[rows, 1 - said]
    dense = net.dense.bias.detach().numpy()
    by_filters = sum(part.sum(axis=1) for part in filters.values()) + dense[said] - dense[1 - said]
    np.testing.assert_allclose(by_filters, odds, atol=1e-5)
    # What the words leave over are the biases of those filters that fire.
    x = to_tensor(samples.facts, samples.inputs)
    left = dense[said] - dense[1 - said]
    at = 0
    for width in (1, 2, 3):
        bias = net.get_submodule(f"conv{width}").bias.detach().numpy()
        fires = windows(net, few[width - 1], samples, 1000).peaks > 0
        weight = net.dense.weight.detach().numpy()[:, at : at + 4]
        left = left + ((weight[said] - weight[1 - said]) * fires * bias).sum(axis=1)
        at += 4
    assert x.shape[0] == len(left)
    np.testing.assert_allclose(words.sum(axis=1) + left, odds, atol=1e-4)


def test_deleted_words_are_taken_out_and_the_others_move_up():
    inputs = np.array([[5, 6, 7, 8, 9, 0, 0], [3, 0, 0, 0, 0, 0, 0]], dtype=np.int32)
    weights = np.array([[0.1, 2.0, -3.0, 1.0, 0.0, 9.0, 9.0], [-1.0, 0, 0, 0, 0, 0, 0]])
    left = deleting.without_strongest(inputs, weights, 0.4)
    assert left.tolist() == [[5, 7, 9, 0, 0, 0, 0], [0] * 7]


def test_of_words_that_weigh_the_same_the_first_is_deleted_whatever_their_last_bits():
    inputs = np.array([[5, 6, 7, 8, 9]], dtype=np.int32)
    weights = np.log(np.array([[1.0, 8 / 4, 1.0, 2 / 1, 1.0]]))
    for last in (-1e-15, 0.0, 1e-15):
        left = deleting.without_strongest(inputs, weights + [[0, 0, 0, last, 0]], 0.2)
        assert left.tolist() == [[5, 7, 8, 9, 0]]


def test_each_single_deletion_is_measured(tmp_path):
    net, samples = kim(), small(tmp_path, "texts").split("test")
    inputs = np.asarray(samples.inputs[:4])
    alone = deleting.Reading(net, samples.facts, inputs).without_each()
    for row, tokens in enumerate(inputs):
        before = net(torch.tensor(tokens[None]).long()).softmax(1)[0].detach()
        for place in range(int((tokens > 0).sum())):
            shorter = np.append(np.delete(tokens, place), 0)
            after = net(torch.tensor(shorter[None]).long()).softmax(1)[0].detach()
            said = int(before.argmax())
            assert alone[row, place] == pytest.approx(float(before[said] - after[said]), abs=1e-5)


def test_a_filters_class_is_that_of_its_dense_weights_where_it_has_any(tmp_path):
    net, samples = kim(), small(tmp_path, "texts").split("test")
    traced = trace(net, to_tensor(samples.facts, samples.inputs[:1]))
    few = readers(traced, 9)
    votes = voting.dense_votes(net, traced, few, samples.facts, samples.inputs)
    np.testing.assert_array_equal(votes["conv2"], net.dense.weight[:, 4:8].T.detach().numpy())
    torch.manual_seed(0)
    for other in (Pictures().eval(), Deep().eval()):
        traced = trace(other, to_tensor(samples.facts, samples.inputs[:1]))
        assert voting.dense_votes(other, traced, readers(traced, 9), samples.facts, samples.inputs) == {}


def test_the_threshold_is_the_lowest_that_is_pure_enough():
    peaks = np.r_[np.linspace(1, 2, 30), np.linspace(0.1, 0.9, 30), np.zeros(10)]
    of_class = np.r_[np.ones(30), np.zeros(30), np.ones(10)].astype(bool)
    level = voting.threshold(peaks, of_class, 0.75)
    share = of_class[peaks >= level].mean()
    assert share == pytest.approx(0.75)
    assert of_class[peaks >= level - 0.03].mean() < 0.75
    assert voting.threshold(peaks, ~of_class, 0.75) is None


def test_the_exhibit_names_telling_words_and_their_deletion_matters(tmp_path):
    """A network in which one word speaks for each class: “good” and “bad”."""
    net, data = kim(), small(tmp_path, "texts")
    with torch.no_grad():
        for weight in net.parameters():
            weight.zero_()
        net.embedding.weight[3, 0], net.embedding.weight[4, 1] = 1.0, 1.0
        net.conv1.weight[0, 0, 0], net.conv1.weight[1, 1, 0] = 2.0, 2.0
        net.dense.weight[1, 0], net.dense.weight[0, 1] = 2.0, 2.0
    exhibit = shown("ngrams", net, data.split("test"), CONFIG, training=data.split("train"), seed=0)
    hang(exhibit, tmp_path / "exhibit")
    numbers = {number.metric: number for number in exhibit.numbers if not number.subject}
    assert next(iter(numbers)) == "deletion_ratio"
    assert numbers["deletion_ratio"].value > 1.5
    assert numbers["deletion_ratio"].ci_low < numbers["deletion_ratio"].value < numbers["deletion_ratio"].ci_high
    assert numbers["purity"].value == 1 and numbers["best_real_of_exact"].value == 1
    assert numbers["dead"].value == 10 and numbers["pure_filters"].value == 2
    assert numbers["accuracy_above_thresholds"].value == numbers["accuracy"].value == 1
    texts = {block.name: block for block in exhibit.blocks if isinstance(block, Texts)}
    first = texts["filters-conv1"].sentences[0]
    assert first.tokens == [("good", 2.0)] and "votes for positive" in first.group["en"]
    assert "best of all" in first.label["en"] and "× positive" in first.label["zh"]
    for sentence in texts["sentences"].sentences:
        assert {word for word, weight in sentence.tokens if weight} <= {"good", "bad"}
    (table,) = [block for block in exhibit.blocks if isinstance(block, Table) and block.name == "filters"]
    assert len(table.data) == 12


def test_words_by_counting_are_naive_bayes(tmp_path):
    naive_bayes = pytest.importorskip("sklearn.naive_bayes", reason="scikit-learn is not installed")
    training = small(tmp_path, "texts").split("train")
    tokens = np.asarray(training.inputs)
    counts = np.stack([(tokens == word).sum(axis=1) for word in range(2, len(VOCABULARY))], axis=1)
    model = naive_bayes.MultinomialNB().fit(counts, training.labels)
    odds = model.feature_log_prob_[1] - model.feature_log_prob_[0]
    for predicted, sign in ((1, 1), (0, -1)):
        found = highlighting.by_counting(training, tokens, np.full(len(tokens), predicted))
        known = tokens > 1
        np.testing.assert_allclose(found[known], sign * odds[tokens[known] - 2])
        assert not found[~known].any()


def deleted(highlighted, random, counted=None, flips=0.0):
    n = len(highlighted)
    none = np.zeros(n, dtype=bool)
    return deleting.Deleted(highlighted, none, random, np.zeros(random.shape, dtype=bool), counted, highlighted)


def test_the_ratio_is_of_sizes_so_that_ups_and_downs_do_not_cancel():
    up_and_down = np.tile([0.1, -0.1], (4, 50)) * np.linspace(0.9, 1.1, 100)
    found = deleted(np.full(100, 0.3), up_and_down)
    numbers = {number.metric: number.value for number in deleting.numbers_of(found)}
    assert numbers["deletion_ratio"] == pytest.approx(3)
    assert numbers["drop_random"] == pytest.approx(0, abs=1e-3)


@pytest.mark.parametrize(
    ("by", "said"),
    [(0.1, "cost less: 20.0."), (-0.1, "cost more: 40.0."), (0.0, "no difference beyond chance"), (None, None)],
)
def test_what_is_said_of_counting_follows_from_the_drops(by, said):
    noise = 0.01 * np.random.default_rng(0).standard_normal(200)
    noise -= noise.mean()
    ours = np.full(200, 0.3)
    counted = None if by is None else ours - by + noise
    text = against_counting(deleted(ours, np.full((2, 200), 0.1), counted))
    assert (said in language("en").words(described(text))) if said else text is None


@pytest.mark.parametrize("build", [Pictures, Deep])
def test_other_structures_are_shown_too(tmp_path, build):
    torch.manual_seed(0)
    data = small(tmp_path, "texts")
    exhibit = shown("ngrams", build().eval(), data.split("test"), CONFIG, training=None, seed=0)
    hang(exhibit, tmp_path / "exhibit")
    assert "correlation" in exhibit.caption["en"]
    said = " ".join(block.caption["en"] for block in exhibit.blocks if isinstance(block, Texts))
    assert ("no exact best" in said) == (build is Deep)
    assert ("where it can be had" in exhibit.caption["en"]) == (build is Deep)


def test_the_network_is_left_as_it_was_and_the_same_seed_gives_the_same_bytes(tmp_path):
    net, data = kim(), small(tmp_path, "texts")
    before = {name: value.clone() for name, value in net.state_dict().items()}
    state = torch.get_rng_state()
    for name in ("one", "two"):
        exhibit = shown("ngrams", net, data.split("test"), CONFIG, training=data.split("train"), seed=3)
        hang(exhibit, tmp_path / name)
    one, two = (sorted((tmp_path / name).iterdir()) for name in ("one", "two"))
    assert [file.read_bytes() for file in one] == [file.read_bytes() for file in two]
    assert torch.equal(state, torch.get_rng_state())
    assert all(torch.equal(value, net.state_dict()[name]) for name, value in before.items())
    assert not any(module._forward_hooks for module in net.modules())


def test_sentences_without_labels_have_no_purity(tmp_path):
    samples = small(tmp_path, "texts", unlabelled=True).split("test")
    exhibit = shown("ngrams", kim(), samples, CONFIG, training=None, seed=0)
    hang(exhibit, tmp_path / "exhibit")
    assert not {"purity", "accuracy"} & {number.metric for number in exhibit.numbers}


def test_what_is_no_text_has_no_ngrams(tmp_path):
    samples = small(tmp_path, "images").split("test")
    with pytest.raises(DoesNotApply, match="only sentences are made of words"):
        shown("ngrams", nn.Sequential(nn.Flatten(), nn.Linear(144, 3)), samples, CONFIG, training=None, seed=0)


def test_bad_input_is_refused_with_what_to_do(tmp_path):
    samples = small(tmp_path, "texts").split("test")
    with pytest.raises(LayerNotFound, match="no layer 'cnv2'. Did you mean 'conv2'?"):
        shown("ngrams", kim(), samples, CONFIG | {"layers": ["cnv2"]}, training=None, seed=0)
    with pytest.raises(LayerNotFound, match="'dense' can't be followed to the words; those of conv1, conv2, conv3 can"):
        shown("ngrams", kim(), samples, CONFIG | {"layers": ["dense"]}, training=None, seed=0)
    bag = nn.Sequential(nn.Embedding(len(VOCABULARY), 4), nn.Flatten(), nn.Linear(36, 2))
    with pytest.raises(LayerNotFound, match="no convolution"):
        shown("ngrams", bag, samples, CONFIG, training=None, seed=0)
    with pytest.raises(NoLogits):
        shown("ngrams", nn.Sequential(nn.Embedding(len(VOCABULARY), 4)), samples, CONFIG, training=None, seed=0)
