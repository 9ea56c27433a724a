"""ReLUs applied by a function are refused; as modules, their way back follows the rule, in place and reused too."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.nn import functional

from cnnatomy.inspection.outputs import NoLogits, logits_of
from cnnatomy.inspection.rectifiers import FunctionalReLU, guided, passing_back, refuse_functional


class Applied(nn.Module):
    """One convolution, and a ReLU applied as the test says."""

    def __init__(self, rectify):
        super().__init__()
        self.conv, self.dense, self.rectify = nn.Conv2d(1, 3, 3), nn.Linear(3 * 16, 4), rectify

    def forward(self, x):
        return self.dense(self.rectify(self.conv(x)).flatten(1))


def images(n=2):
    return torch.randn(n, 1, 6, 6, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize(
    "rectify",
    [
        torch.relu,
        functional.relu,
        functional.relu6,
        lambda x: functional.relu(x, inplace=True),
        lambda x: x.relu_(),
        lambda x: x.clamp(min=0),
        lambda x: x.clamp_min(0.0),
        lambda x: functional.threshold(x, 0.0, 0.0),
        lambda x: functional.hardtanh(x, 0.0, 6.0),
    ],
)
def test_a_relu_applied_by_a_function_is_refused(rectify):
    with pytest.raises(FunctionalReLU, match=r"by a function .* once.* make each an nn.ReLU module"):
        refuse_functional(Applied(rectify), images())


@pytest.mark.parametrize("rectify", [nn.ReLU(), nn.ReLU(inplace=True), nn.ReLU6(), nn.Tanh(), nn.GELU(), nn.Hardtanh()])
def test_modules_and_other_activations_are_let_through(rectify):
    refuse_functional(Applied(rectify), images())


def test_a_module_that_is_called_again_beside_a_function_is_told_apart():
    class Both(Applied):
        def forward(self, x):
            return self.dense(torch.relu(self.rectify(self.rectify(self.conv(x)))).flatten(1))

    with pytest.raises(FunctionalReLU, match="once"):
        refuse_functional(Both(nn.ReLU()), images())


@pytest.mark.parametrize("inplace", [False, True])
def test_guided_as_captum_does_it(inplace):
    captum = pytest.importorskip("captum.attr", reason="captum is not installed")
    torch.manual_seed(0)

    def network(inplace):
        torch.manual_seed(1)
        return nn.Sequential(
            nn.Conv2d(1, 4, 3), nn.ReLU(inplace), nn.Conv2d(4, 5, 3), nn.ReLU(inplace), nn.Flatten(), nn.Linear(20, 3)
        )

    x, ours = images().requires_grad_(), network(inplace)
    with passing_back(ours, guided):
        ours(x)[:, 1].sum().backward()
    expected = captum.GuidedBackprop(network(False)).attribute(images().requires_grad_(), target=1)
    assert torch.equal(x.grad, expected)
    plain = images().requires_grad_()
    ours(plain)[:, 1].sum().backward()
    assert not torch.allclose(plain.grad, x.grad)  # afterwards all is as it was


def test_relu6_stops_above_six_and_reused_modules_follow_the_rule():
    relu = nn.ReLU6(inplace=True)
    x = torch.tensor([[-1.0, 3.0, 7.0]], requires_grad=True)
    network = nn.Sequential(relu, nn.Flatten(), relu)
    with passing_back(network, guided):
        y = network(x)
        (y * torch.tensor([1.0, 1.0, 1.0])).sum().backward()
    assert y.tolist() == [[0, 3, 6]] and x.grad.tolist() == [[0, 1, 0]]


def test_the_answer_must_be_one_number_for_each_sample_and_class():
    x = images()
    assert logits_of(Applied(nn.ReLU()), x).shape == (2, 4)
    with pytest.raises(NoLogits, match=r"of shape \(2, 3, 4, 4\), not \(samples, classes\)"):
        logits_of(nn.Conv2d(1, 3, 3), x)
    with pytest.raises(NoLogits, match="can't take samples of shape"):
        logits_of(Applied(nn.ReLU()), x[:, :, :5])
    with pytest.raises(NoLogits, match="4 outputs, but the data have 10 classes"):
        logits_of(Applied(nn.ReLU()), x, classes=10)
    with pytest.raises(NoLogits, match="one output"):
        logits_of(nn.Sequential(nn.Flatten(), nn.Linear(36, 1)), x)
    broken = Applied(nn.ReLU())
    with torch.no_grad():
        broken.conv.weight[0] = torch.nan
    with pytest.raises(NoLogits, match="not finite in conv.weight"):
        logits_of(broken, x)

    class Two(nn.Module):
        def forward(self, x):
            return x, x

    with pytest.raises(NoLogits, match="is a tuple"):
        logits_of(Two(), x)
