"""S4, filters that move along frequency in short windows of time, and an LSTM that takes care of time."""

from __future__ import annotations

from torch import Tensor, nn

STEP = 2  # frames from one short window to the next


class FrequencyLSTM(nn.Module):
    """Logits (n, classes) of spectrograms (n, 1, bands, frames).

    A filter of the first layer is `heights[0]` bands high and `window` frames wide, and stands at every second frame;
    one of the second is `heights[1]` bands high and one of these windows wide. `pools` bands at a time are pooled
    after each. What all filters give for a window is one step of the LSTM, of `units` units; the mean of its outputs
    over time decides. `dropout` is the share of it that the dense layer does without in training.

    Raises ValueError if the layers leave nothing.
    """

    def __init__(
        self,
        shape: tuple[int, int, int],
        classes: int,
        filters: tuple[int, int],
        heights: tuple[int, int],
        window: int,
        pools: tuple[int, int],
        units: int,
        dropout: float,
    ) -> None:
        super().__init__()
        channels, bands, frames = shape
        first, second = filters
        left = ((bands - heights[0] + 1) // pools[0] - heights[1] + 1) // pools[1]
        if left < 1 or frames < window:
            raise ValueError(f"{bands} bands and {frames} frames are too few for these filters and pools")
        self.conv1 = nn.Conv2d(channels, first, (heights[0], window), stride=(1, STEP), bias=False)
        self.norm1 = nn.BatchNorm2d(first)
        self.relu1 = nn.ReLU()
        self.pool1 = nn.MaxPool2d((pools[0], 1))
        self.conv2 = nn.Conv2d(first, second, (heights[1], 1), bias=False)
        self.norm2 = nn.BatchNorm2d(second)
        self.relu2 = nn.ReLU()
        self.pool2 = nn.MaxPool2d((pools[1], 1))
        self.flatten = nn.Flatten(1, 2)  # filters and bands; time stays
        self.lstm = nn.LSTM(second * left, units, batch_first=True)
        self.dropout = nn.Dropout(dropout)
        self.dense = nn.Linear(units, classes)

    def forward(self, x: Tensor) -> Tensor:
        x = self.pool1(self.relu1(self.norm1(self.conv1(x))))
        x = self.pool2(self.relu2(self.norm2(self.conv2(x))))
        outputs, _ = self.lstm(self.flatten(x).transpose(1, 2))
        return self.dense(self.dropout(outputs.mean(1)))
