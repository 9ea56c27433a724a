"""Networks as people write them: what none of the project's own networks does, each as small as can be."""

from __future__ import annotations

from collections import OrderedDict, namedtuple
from dataclasses import dataclass
from threading import Lock
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils import parametrizations

Heads = namedtuple("Heads", ["logits", "aux"])

# --- images, (1, 12, 12)


class Flat(nn.Sequential):
    """No convolution."""

    def __init__(self, shape: tuple[int, ...], classes: int) -> None:
        channels, height, width = shape
        super().__init__(nn.Flatten(), nn.Linear(channels * height * width, classes))


class Perceptron(nn.Sequential):
    """No convolution, and a hidden layer."""

    def __init__(self, shape: tuple[int, ...], classes: int) -> None:
        channels, height, width = shape
        super().__init__(
            nn.Flatten(), nn.Linear(channels * height * width, 6), nn.ReLU(inplace=True), nn.Linear(6, classes)
        )


class Again(nn.Module):
    """One convolution that is called twice."""

    def __init__(self, shape: tuple[int, ...], classes: int) -> None:
        super().__init__()
        self.start = nn.Conv2d(shape[0], 4, 3)
        self.block = nn.Conv2d(4, 4, 3, padding=1)
        self.relu = nn.ReLU()
        self.end = nn.Linear(4, classes)

    def forward(self, x: Tensor) -> Tensor:
        x = self.relu(self.start(x))
        return self.end(self.relu(self.block(self.relu(self.block(x)))).mean((2, 3)))


class Twice(nn.Module):
    """One layer under two names, and a convolution whose weights are another's."""

    def __init__(self, shape: tuple[int, ...], classes: int) -> None:
        super().__init__()
        self.a = nn.Conv2d(shape[0], 4, 3)
        self.b = self.a
        self.one, self.other = nn.Conv2d(4, 4, 3), nn.Conv2d(4, 4, 3)
        self.other.weight = self.one.weight
        self.end = nn.Linear(4, classes)

    def forward(self, x: Tensor) -> Tensor:
        return self.end(self.other(self.one(self.b(x).relu()).relu()).amax((2, 3)))


class Views(nn.Module):
    """Buffers that are views of one storage, one of integers, and one that is never saved."""

    def __init__(self, shape: tuple[int, ...], classes: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(shape[0], 4, 3)
        self.end = nn.Linear(4, classes)
        whole = torch.linspace(0.5, 1.5, 8)
        self.register_buffer("first", whole[:4])
        self.register_buffer("last", whole[2:6])
        self.register_buffer("order", torch.tensor([3, 1, 0, 2]))
        self.register_buffer("kept", torch.ones(4), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        x = self.conv(x).relu().mean((2, 3))[:, self.order]
        return self.end(x * self.first * self.last * self.kept)


class Named(nn.Module):
    """Layers with names that are no names of files."""

    NAMES = ("3 x 3", "卷积$层", "x" * 220, "a/b:c;d=e", "#1", "no#2")

    def __init__(self, shape: tuple[int, ...], classes: int) -> None:
        super().__init__()
        self.parts = nn.ModuleDict({name: nn.Conv2d(shape[0], 2, 3) for name in self.NAMES})
        self.end = nn.Linear(2 * len(self.NAMES), classes)

    def forward(self, x: Tensor) -> Tensor:
        return self.end(torch.cat([part(x).relu().mean((2, 3)) for part in self.parts.values()], dim=1))


class LSTMFirst(nn.Module):
    """Rows read by a recurrent layer, and a convolution behind it."""

    def __init__(self, shape: tuple[int, ...], classes: int) -> None:
        super().__init__()
        self.read = nn.LSTM(shape[2], 5, batch_first=True, bidirectional=True)
        self.conv = nn.Conv1d(10, 4, 3, padding=1)
        self.end = nn.Linear(4, classes)

    def forward(self, x: Tensor) -> Tensor:
        read, _ = self.read(x[:, 0])
        return self.end(self.conv(read.transpose(1, 2)).relu().amax(2))


class Attending(nn.Module):
    """Patches, a token of the class, and a transformer's encoder: a small ViT."""

    def __init__(self, shape: tuple[int, ...], classes: int) -> None:
        super().__init__()
        self.patches = nn.Conv2d(shape[0], 8, 4, stride=4)
        self.token = nn.Parameter(torch.zeros(1, 1, 8))
        layer = nn.TransformerEncoderLayer(8, 2, 16, batch_first=True, activation="gelu", norm_first=True)
        self.encoder = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)
        self.end = nn.Linear(8, classes)

    def forward(self, x: Tensor) -> Tensor:
        x = self.patches(x).flatten(2).transpose(1, 2)
        x = torch.cat([self.token.expand(len(x), -1, -1), x], dim=1)
        return self.end(self.encoder(x)[:, 0])


class Beside(nn.Module):
    """Self-attention beside a convolution."""

    def __init__(self, shape: tuple[int, ...], classes: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(shape[0], 4, 3, padding=1)
        self.attention = nn.MultiheadAttention(12, 3, batch_first=True)
        self.end = nn.Linear(16, classes)

    def forward(self, x: Tensor) -> Tensor:
        rows = x[:, 0]
        attended, _ = self.attention(rows, rows, rows)
        return self.end(torch.cat([self.conv(x).relu().mean((2, 3)), attended.mean(1)], dim=1))


class Aux(nn.Module):
    """A second head while it is trained, as GoogLeNet's."""

    def __init__(self, shape: tuple[int, ...], classes: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(shape[0], 4, 3)
        self.deeper = nn.Conv2d(4, 4, 3)
        self.aux = nn.Linear(4, classes)
        self.end = nn.Linear(4, classes)

    def forward(self, x: Tensor) -> Any:
        x = self.conv(x).relu()
        made = self.end(self.deeper(x).relu().mean((2, 3)))
        return Heads(made, self.aux(x.mean((2, 3)))) if self.training else made


class Mapped(nn.Module):
    """A dictionary with its features beside its answer."""

    def __init__(self, shape: tuple[int, ...], classes: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(shape[0], 4, 3)
        self.relu = nn.ReLU(inplace=True)
        self.end = nn.Linear(4, classes)

    def forward(self, x: Tensor) -> Any:
        x = self.relu(self.conv(x)).mean((2, 3))
        return {"features": x, "answer": self.end(x)}


class Both(Mapped):
    """Two answers of the right shape, neither of which is called logits."""

    def forward(self, x: Tensor) -> Any:
        x = self.relu(self.conv(x)).mean((2, 3))
        return {"one": self.end(x), "other": self.end(2 * x)}


class Pair(Mapped):
    """A tuple of the answer and what it was made of."""

    def forward(self, x: Tensor) -> Any:
        x = self.relu(self.conv(x))
        return self.end(x.mean((2, 3))), x


class ModelOutput(OrderedDict):
    """A dictionary whose entries are attributes, too, as the output of models for texts often is."""

    def __getattr__(self, name: str) -> Any:
        return self[name]


class Attributed(Mapped):
    """An ordered dictionary of logits and other things."""

    def forward(self, x: Tensor) -> Any:
        x = self.relu(self.conv(x))
        logits = self.end(x.mean((2, 3)))
        return ModelOutput(loss=None, logits=logits, probabilities=logits.softmax(1), hidden_states=(x,))


@dataclass
class Answered:
    logits: Tensor
    features: Tensor


class Dataclassed(Mapped):
    """A dataclass."""

    def forward(self, x: Tensor) -> Any:
        x = self.relu(self.conv(x))
        return Answered(self.end(x.mean((2, 3))), x)


class Ending(nn.Module):
    """Something behind the last layer: softmax, log_softmax, sigmoid."""

    def __init__(self, shape: tuple[int, ...], classes: int, end: str = "softmax") -> None:
        super().__init__()
        self.conv = nn.Conv2d(shape[0], 4, 3)
        self.relu = nn.ReLU()
        self.decide = nn.Linear(4, classes)
        self.end = end

    def forward(self, x: Tensor) -> Tensor:
        x = self.decide(self.relu(self.conv(x)).amax((2, 3)))
        return x.sigmoid() if self.end == "sigmoid" else getattr(F, self.end)(x, dim=1)


class Hooked(nn.Module):
    """Hooks of its own, and maps that it keeps."""

    def __init__(self, shape: tuple[int, ...], classes: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(shape[0], 4, 3)
        self.relu = nn.ReLU(inplace=True)
        self.end = nn.Linear(4, classes)
        self.maps: list[Tensor] = []
        self.seen: Tensor | None = None
        self.conv.register_forward_hook(lambda module, inputs, output: 2 * output)
        self.relu.register_forward_hook(self.keep)

    def keep(self, module: nn.Module, inputs: Any, output: Tensor) -> None:
        self.maps = [output]

    def forward(self, x: Tensor) -> Tensor:
        self.seen = self.relu(self.conv(x))
        return self.end(self.seen.mean((2, 3)))


class Normed(nn.Module):
    """weight_norm and spectral_norm, as parametrizations."""

    def __init__(self, shape: tuple[int, ...], classes: int) -> None:
        super().__init__()
        self.first = parametrizations.weight_norm(nn.Conv2d(shape[0], 4, 3))
        self.second = parametrizations.spectral_norm(nn.Conv2d(4, 4, 3))
        self.relu = nn.ReLU()
        self.end = parametrizations.weight_norm(nn.Linear(4, classes))

    def forward(self, x: Tensor) -> Tensor:
        return self.end(self.relu(self.second(self.relu(self.first(x)))).mean((2, 3)))


class OldNormed(nn.Module):
    """weight_norm as it was before there were parametrizations."""

    def __init__(self, shape: tuple[int, ...], classes: int) -> None:
        super().__init__()
        self.first = nn.utils.weight_norm(nn.Conv2d(shape[0], 4, 3))
        self.relu = nn.ReLU()
        self.end = nn.utils.weight_norm(nn.Linear(4, classes))

    def forward(self, x: Tensor) -> Tensor:
        return self.end(self.relu(self.first(x)).mean((2, 3)))


class Lazy(nn.Sequential):
    """Layers that learn their sizes from the first batch."""

    def __init__(self, classes: int) -> None:
        super().__init__(
            nn.LazyConv2d(4, 3), nn.LazyBatchNorm2d(), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.LazyLinear(classes)
        )


class Half(nn.Sequential):
    """Parameters of half precision."""

    def __init__(self, shape: tuple[int, ...], classes: int) -> None:
        super().__init__(
            nn.Conv2d(shape[0], 4, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, classes)
        )
        self.half()


class Fixed(nn.Module):
    """No parameters at all."""

    def __init__(self, classes: int) -> None:
        super().__init__()
        self.classes = classes

    def forward(self, x: Tensor) -> Tensor:
        return F.adaptive_avg_pool1d(x.flatten(1), self.classes)


class Alex(nn.Module):
    """AlexNet's plan: convolutions, pools, dropout and dense layers, all in place."""

    def __init__(self, shape: tuple[int, ...], classes: int) -> None:
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(shape[0], 6, 5, stride=2, padding=2),
            nn.ReLU(inplace=True),
            nn.MaxPool2d(3, 2),
            nn.Conv2d(6, 8, 3, padding=1),
            nn.ReLU(inplace=True),
        )
        self.avgpool = nn.AdaptiveAvgPool2d((2, 2))
        self.classifier = nn.Sequential(
            nn.Dropout(), nn.Linear(32, 8), nn.ReLU(inplace=True), nn.Dropout(), nn.Linear(8, classes)
        )

    def forward(self, x: Tensor) -> Tensor:
        return self.classifier(torch.flatten(self.avgpool(self.features(x)), 1))


class Residual(nn.Module):
    """ResNet's plan, with batch normalisation and one ReLU for all."""

    def __init__(self, shape: tuple[int, ...], classes: int) -> None:
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(shape[0], 6, 3, padding=1, bias=False), nn.BatchNorm2d(6)
        self.relu = nn.ReLU(inplace=True)
        self.conv2, self.bn2 = nn.Conv2d(6, 6, 3, padding=1, bias=False), nn.BatchNorm2d(6)
        self.down = nn.Conv2d(6, 8, 1, stride=2)
        self.fc = nn.Linear(8, classes)

    def forward(self, x: Tensor) -> Tensor:
        x = self.relu(self.bn1(self.conv1(x)))
        x = self.relu(x + self.bn2(self.conv2(x)))
        return self.fc(self.relu(self.down(x)).mean((2, 3)))


class Mobile(nn.Module):
    """MobileNetV3's plan: depthwise convolutions, a gate of the channels, hard swish."""

    def __init__(self, shape: tuple[int, ...], classes: int) -> None:
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(shape[0], 6, 3, 2, 1, bias=False), nn.BatchNorm2d(6), nn.Hardswish())
        self.depth = nn.Sequential(nn.Conv2d(6, 6, 3, padding=1, groups=6, bias=False), nn.BatchNorm2d(6), nn.ReLU())
        self.gate = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Conv2d(6, 2, 1), nn.ReLU(), nn.Conv2d(2, 6, 1))
        self.project = nn.Sequential(nn.Conv2d(6, 8, 1, bias=False), nn.BatchNorm2d(8))
        self.end = nn.Sequential(nn.Linear(8, 8), nn.Hardswish(), nn.Dropout(0.2), nn.Linear(8, classes))

    def forward(self, x: Tensor) -> Tensor:
        x = self.depth(self.stem(x))
        x = self.project(x * F.hardsigmoid(self.gate(x)))
        return self.end(x.mean((2, 3)))


class Changing(nn.Module):
    """Changes its input in place: less the mean, then a ReLU."""

    def __init__(self, shape: tuple[int, ...], classes: int) -> None:
        super().__init__()
        self.relu = nn.ReLU(inplace=True)
        self.conv = nn.Conv2d(shape[0], 4, 3)
        self.end = nn.Linear(4, classes)

    def forward(self, x: Tensor) -> Tensor:
        x -= 0.1
        return self.end(self.conv(self.relu(x)).mean((2, 3)))


class Parallel(nn.DataParallel):
    """Wrapped for several devices."""

    def __init__(self, shape: tuple[int, ...], classes: int) -> None:
        super().__init__(Residual(shape, classes))


class Upsampling(nn.Module):
    """Transposed convolutions, an interpolation and a shuffle of pixels; weights in a ParameterList."""

    def __init__(self, shape: tuple[int, ...], classes: int) -> None:
        super().__init__()
        self.down = nn.Conv2d(shape[0], 4, 3, stride=2)
        self.up = nn.ConvTranspose2d(4, 4, 2, stride=2)
        self.shuffle = nn.PixelShuffle(2)
        self.last = nn.Conv2d(1, 3, 3)
        self.weights = nn.ParameterList([nn.Parameter(torch.randn(3, classes)) for _ in range(2)])
        self.register_buffer("nothing", None)

    def forward(self, x: Tensor) -> Tensor:
        x = self.shuffle(self.up(self.down(x).relu()).relu())
        x = self.last(F.interpolate(x, scale_factor=0.5)).relu().mean((2, 3))
        return x @ self.weights[0] + x @ self.weights[1]


class Deep3d(nn.Module):
    """Convolutions of three dimensions, of the image as a volume."""

    def __init__(self, shape: tuple[int, ...], classes: int) -> None:
        super().__init__()
        self.conv = nn.Conv3d(1, 4, (1, 3, 3))
        self.end = nn.Linear(4, classes)

    def forward(self, x: Tensor) -> Tensor:
        return self.end(self.conv(x[:, None]).relu().mean((2, 3, 4)))


class Keywords(nn.Module):
    """Layers called with keywords only, and weights used by functions."""

    def __init__(self, *, shape: tuple[int, ...], classes: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(shape[0], 4, 3)
        self.weight = nn.Parameter(torch.randn(4, 4, 3, 3) / 6)
        self.end = nn.Linear(4, classes)

    def forward(self, x: Tensor, mask: Tensor | None = None, **more: Any) -> Tensor:
        x = self.conv(input=x).relu()
        return self.end(input=F.conv2d(x, self.weight).relu().mean((2, 3)))


class Listed(nn.ModuleList):
    """A list of layers with one that is never called, and a list as its output."""

    def __init__(self, shape: tuple[int, ...], classes: int) -> None:
        super().__init__([nn.Conv2d(shape[0], 4, 3), nn.Conv2d(9, 9, 9), nn.Linear(4, classes)])

    def forward(self, x: Tensor) -> Any:
        maps = self[0](x).relu()
        return [maps, self[2](maps.mean((2, 3)))]


class Cut(Mapped):
    """Features that are made without gradients, as of a part that shall not be trained."""

    def forward(self, x: Tensor) -> Tensor:
        with torch.no_grad():
            x = self.relu(self.conv(x)).mean((2, 3))
        return self.end(x)


class Overwritten(Mapped):
    """Maps that are written over behind their ReLU, which the way back needs."""

    def forward(self, x: Tensor) -> Tensor:
        x = self.relu(self.conv(x)).relu()
        x[:, 0] = 0
        return self.end(x.mean((2, 3)))


class ByNumpy(Mapped):
    """An input that is worked on by another library."""

    def forward(self, x: Tensor) -> Tensor:
        x = torch.from_numpy(abs(x.numpy()))
        return self.end(self.relu(self.conv(x)).mean((2, 3)))


class Quarters(Mapped):
    """Each quarter of an image by itself, put into the batch: as windows of a signal are."""

    def forward(self, x: Tensor) -> Tensor:
        n, channels, height, width = x.shape
        parts = x.reshape(n, channels, 2, height // 2, 2, width // 2).permute(0, 2, 4, 1, 3, 5)
        x = self.relu(self.conv(parts.reshape(4 * n, channels, height // 2, width // 2))).mean((2, 3))
        return self.end(x.reshape(n, 4, -1).mean(1))


class OneByOne(Mapped):
    """A loop over the samples."""

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([self.end(self.relu(self.conv(one[None])).mean((2, 3))) for one in x])


class Locked(Mapped):
    """Keeps what can't be copied."""

    def __init__(self, shape: tuple[int, ...], classes: int) -> None:
        super().__init__(shape, classes)
        self.lock = Lock()

    def forward(self, x: Tensor) -> Tensor:
        with self.lock:
            return self.end(self.relu(self.conv(x)).mean((2, 3)))


# --- texts, 9 words


class Dilated(nn.Module):
    """A convolution along the words, with holes."""

    def __init__(self, vocabulary: int, classes: int) -> None:
        super().__init__()
        self.words = nn.Embedding(vocabulary, 4)
        self.conv = nn.Conv1d(4, 5, 3, dilation=2, padding=2)
        self.relu = nn.ReLU()
        self.end = nn.Linear(5, classes)

    def forward(self, x: Tensor) -> Tensor:
        return self.end(self.relu(self.conv(self.words(x).transpose(1, 2))).amax(2))


class Read(nn.Module):
    """A convolution behind a recurrent layer: no window leads back to single words."""

    def __init__(self, vocabulary: int, classes: int) -> None:
        super().__init__()
        self.words = nn.Embedding(vocabulary, 4)
        self.read = nn.GRU(4, 4, batch_first=True)
        self.conv = nn.Conv1d(4, 2, 3, padding=1)
        self.end = nn.Linear(2, classes)

    def forward(self, x: Tensor) -> Tensor:
        return self.end(self.conv(self.read(self.words(x))[0].transpose(1, 2)).relu().amax(2))


class Recurrent(nn.Module):
    """A recurrent layer alone, of which the last state counts."""

    def __init__(self, vocabulary: int, classes: int) -> None:
        super().__init__()
        self.words = nn.Embedding(vocabulary, 4, padding_idx=0)
        self.read = nn.LSTM(4, 4, batch_first=True)
        self.end = nn.Linear(4, classes)

    def forward(self, x: Tensor) -> Tensor:
        return self.end(self.read(self.words(x))[1][0][-1])


class Encoder(nn.Module):
    """A transformer's encoder with a mask of the padding, and places."""

    def __init__(self, vocabulary: int, shape: tuple[int, ...], classes: int) -> None:
        super().__init__()
        self.words = nn.Embedding(vocabulary, 8)
        self.places = nn.Embedding(shape[0], 8)
        layer = nn.TransformerEncoderLayer(8, 2, 16, batch_first=True)
        self.encoder = nn.TransformerEncoder(layer, 1, enable_nested_tensor=False)
        self.end = nn.Linear(8, classes)

    def forward(self, x: Tensor) -> Tensor:
        padding = x == 0
        held = self.words(x) + self.places(torch.arange(x.shape[1], device=x.device))
        held = self.encoder(held, src_key_padding_mask=padding)
        return self.end(held.masked_fill(padding[..., None], 0).sum(1))


class Bag(nn.Sequential):
    """An EmbeddingBag."""

    def __init__(self, vocabulary: int, classes: int) -> None:
        super().__init__(nn.EmbeddingBag(vocabulary, 4, padding_idx=0), nn.Linear(4, classes))


class Masked(nn.Module):
    """A transformer that is told what is padding, and takes a short cut outside of training."""

    def __init__(self, vocabulary: int, classes: int) -> None:
        super().__init__()
        self.words = nn.Embedding(vocabulary, 4)
        self.read = nn.TransformerEncoder(nn.TransformerEncoderLayer(4, 2, 8, batch_first=True), 1)
        self.end = nn.Linear(4, classes)

    def forward(self, x: Tensor) -> Tensor:
        return self.end(self.read(self.words(x), src_key_padding_mask=x == 0).mean(1))


# --- signals, (2, 40)


class Across(nn.Module):
    """A convolution of pictures over channels and time, as for EEG."""

    def __init__(self, shape: tuple[int, ...], classes: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(1, 4, (1, 5))
        self.relu = nn.ReLU()
        self.over = nn.Conv2d(4, 4, (shape[0], 1))
        self.end = nn.Linear(4, classes)

    def forward(self, x: Tensor) -> Tensor:
        return self.end(self.over(self.relu(self.conv(x[:, None]))).relu().amax((2, 3)))


class Beats(nn.Module):
    """A recurrent layer along time."""

    def __init__(self, shape: tuple[int, ...], classes: int) -> None:
        super().__init__()
        self.read = nn.LSTM(shape[0], 4, batch_first=True, bidirectional=True)
        self.end = nn.Linear(8, classes)

    def forward(self, x: Tensor) -> Tensor:
        return self.end(self.read(x.transpose(1, 2))[0].mean(1))


# --- networks that do in forward what others leave to training


class Autocast(Mapped):
    """Products of 16 bits, by the network itself."""

    def forward(self, x: Tensor) -> Any:
        with torch.autocast("cpu", dtype=torch.bfloat16):
            return self.end(self.relu(self.conv(x)).mean((2, 3)))


class Energy(Mapped):
    """A step down a gradient that it takes itself."""

    def forward(self, x: Tensor) -> Any:
        with torch.enable_grad():
            given = x if x.requires_grad else x.detach().requires_grad_()
            (gradient,) = torch.autograd.grad(self.conv(given).square().sum(), given, create_graph=True)
            return self.end(self.relu(self.conv(given - 0.01 * gradient)).mean((2, 3)))


class Fourier(Mapped):
    """Complex numbers on the way: real and imaginary parts of a Fourier transform are the channels."""

    def __init__(self, shape: tuple[int, ...], classes: int) -> None:
        super().__init__(shape, classes)
        self.conv = nn.Conv2d(2 * shape[0], 4, 3)

    def forward(self, x: Tensor) -> Tensor:
        z = torch.fft.fft2(x)
        return self.end(self.relu(self.conv(torch.cat([z.real, z.imag], 1))).mean((2, 3)))


class _Positive(torch.autograd.Function):
    @staticmethod
    def forward(context: Any, x: Tensor) -> Tensor:
        context.save_for_backward(x)
        return x.clamp(min=0)

    @staticmethod
    def backward(context: Any, back: Tensor) -> Tensor:
        return back * (context.saved_tensors[0] > 0)


class OwnFunction(Mapped):
    """An activation with a way back of its own."""

    def forward(self, x: Tensor) -> Tensor:
        return self.end(_Positive.apply(self.conv(x)).mean((2, 3)))


class _Standardised(nn.Conv2d):
    def forward(self, x: Tensor) -> Tensor:
        weight = self.weight - self.weight.mean((1, 2, 3), keepdim=True)
        weight = weight / (weight.std((1, 2, 3), keepdim=True) + 1e-5)
        return nn.functional.conv2d(x, weight, self.bias, self.stride, self.padding)


class Standardised(Mapped):
    """A convolution that changes its weights before it uses them."""

    def __init__(self, shape: tuple[int, ...], classes: int) -> None:
        super().__init__(shape, classes)
        self.conv = _Standardised(shape[0], 4, 3)


class Patched(nn.Module):
    """Patches cut out by unfold, and a dense layer for each."""

    def __init__(self, shape: tuple[int, ...], classes: int) -> None:
        super().__init__()
        self.cut, self.dense, self.end = nn.Unfold(3, stride=3), nn.Linear(9 * shape[0], 6), nn.Linear(6, classes)

    def forward(self, x: Tensor) -> Tensor:
        return self.end(self.dense(self.cut(x).transpose(1, 2)).relu().mean(1))


class ByWeights(nn.Module):
    """A convolution without a module, by weights alone."""

    def __init__(self, shape: tuple[int, ...], classes: int) -> None:
        super().__init__()
        self.filters, self.end = nn.Parameter(torch.randn(4, shape[0], 3, 3)), nn.Linear(4, classes)

    def forward(self, x: Tensor) -> Tensor:
        return self.end(nn.functional.conv2d(x, self.filters).relu().mean((2, 3)))


class Watched(Mapped):
    """Hooks of its own on both ways, in front of a ReLU in place."""

    def __init__(self, shape: tuple[int, ...], classes: int) -> None:
        super().__init__(shape, classes)
        self.relu = nn.ReLU(inplace=True)
        self.conv.register_full_backward_hook(lambda module, into, out: None)

    def forward(self, x: Tensor) -> Tensor:
        return self.end(self.relu(self.conv(x)).mean((2, 3)))
