"""Augmentation: shape, type and range stay, the class can still be seen, and samples change each in their own way."""

from __future__ import annotations

import pytest
import torch
from torch._subclasses.fake_tensor import FakeTensorMode

from cnnatomy.data.augment import Images, Sounds, Words, moved


@pytest.fixture(autouse=True)
def seeded():
    torch.manual_seed(0)


def square(n: int = 8) -> torch.Tensor:
    batch = torch.zeros(n, 1, 28, 28, dtype=torch.uint8)
    batch[:, :, 10:18, 10:18] = 255
    return batch


def tone(n: int = 8) -> torch.Tensor:
    """A tone in band 10, from frame 15 to 24."""
    batch = torch.full((n, 1, 40, 44), -60.0)
    batch[:, :, 10, 15:25] = 0
    return batch


def test_images_keep_shape_type_and_ink():
    batch = Images(degrees=10, translate=0.1, scale=[0.9, 1.1], shear=5)(square())
    assert batch.shape == (8, 1, 28, 28) and batch.dtype == torch.uint8
    ink = batch.float().sum((1, 2, 3)) / square().float().sum((1, 2, 3))
    assert ((ink > 0.7) & (ink < 1.4)).all()


def test_every_image_is_changed_in_its_own_way():
    batch = Images(degrees=10, translate=0.1, scale=[0.9, 1.1])(square(16))
    assert len({tuple(image.flatten().tolist()) for image in batch}) == 16


@pytest.mark.parametrize("shape", [(1, 28, 28), (3, 20, 31)], ids=str)
def test_an_image_is_moved_as_torchvision_moves_it(shape):
    from torchvision.transforms import InterpolationMode
    from torchvision.transforms.v2.functional import affine

    n = 12
    batch = torch.randint(0, 256, (n, *shape), dtype=torch.uint8)
    draws = {"degrees": 40, "right": 5, "down": 4, "shear": 15}
    values = {name: most * (2 * torch.rand(n) - 1) for name, most in draws.items()} | {"scale": 0.7 + torch.rand(n)}
    ours = moved(batch, **{name: value[:, None, None, None] for name, value in values.items()})
    for k, (image, found) in enumerate(zip(batch, ours, strict=True)):
        degrees, right, down, shear, scale = (values[name][k].item() for name in (*draws, "scale"))
        wanted = affine(image, degrees, [right, down], scale, [shear, 0.0], interpolation=InterpolationMode.BILINEAR)
        off = (wanted.int() - found.int()).abs()
        assert off.max() <= 1 and (off > 0).float().mean() < 0.01  # a rounding that falls the other way


def test_no_image_is_moved_further_than_asked():
    dot = torch.zeros(500, 1, 29, 29, dtype=torch.uint8)
    dot[:, :, 14, 24] = 200
    batch = Images(degrees=30, translate=0.0, scale=[1, 1])(dot).float()
    x = (batch.sum(2) * (torch.arange(29) - 14)).sum((1, 2)) / batch.sum((1, 2, 3))
    y = (batch.sum(3) * (torch.arange(29) - 14)).sum((1, 2)) / batch.sum((1, 2, 3))
    turned = torch.rad2deg(torch.atan2(y, x))
    assert 25 < turned.max() < 31 and -31 < turned.min() < -25
    batch = Images(degrees=0, translate=0.1, scale=[1, 1])(dot).float()
    x = (batch.sum(2) * torch.arange(29)).sum((1, 2)) / batch.sum((1, 2, 3))
    assert 21 < x.min() < 22 and 26 < x.max() < 27  # 24 and up to 2.9 pixels to either side


def test_no_change_asked_none_made():
    assert torch.equal(Images(degrees=0, translate=0, scale=[1, 1])(square()), square())
    torch.testing.assert_close(Sounds()(tone()), tone(), atol=0.01, rtol=0)
    tokens = torch.tensor([[5, 6, 7, 0, 0]])
    assert torch.equal(Words(0)(tokens), tokens)


def test_a_sound_is_moved_by_no_more_than_asked():
    batch = Sounds(bands=3, frames=5)(tone(200))
    band = batch.amax(3).argmax(2).flatten()
    start = (batch.amax(2) > -30).float().argmax(2).flatten()
    assert band.min() == 7 and band.max() == 13
    assert 9 <= start.min() < 12 and 18 < start.max() <= 21
    assert len(set(band.tolist())) == 7


def test_sounds_keep_their_range():
    batch = Sounds(bands=3, frames=4, stretch=0.1, tilt_db=10, noise_db=-30, masks=(4, 6))(tone(50))
    assert batch.shape == (50, 1, 40, 44) and batch.dtype == torch.float32
    assert torch.isfinite(batch).all()
    assert batch.min() == -60 and batch.max() <= 0


def test_masks_are_no_wider_than_asked():
    batch = Sounds(masks=(4, 6))(
        torch.zeros(300, 1, 40, 44) - torch.tensor([0.0, 60.0]).repeat(22)
    )  # every second frame
    bands = (batch[:, 0, :, ::2] == -60).all(2).sum(1)
    assert bands.min() == 0 and bands.max() == 4


def test_noise_hides_quiet_parts_only():
    batch = Sounds(noise_db=-30)(tone(100))
    assert (batch[:, 0, 10, 15:25] > -3).all()
    quiet = batch[:, 0, 30]
    assert quiet.median() > -60 and quiet.max() < -15


def test_words_are_dropped_as_often_as_asked_and_padding_never():
    tokens = torch.full((1000, 20), 5)
    tokens[:, 10:] = 0
    dropped = Words(0.2)(tokens)
    assert (dropped[:, 10:] == 0).all()
    assert 0.18 < (dropped[:, :10] == 1).float().mean() < 0.22
    assert set(dropped.unique().tolist()) == {0, 1, 5}


SOUNDS = {"bands": 2, "frames": 3, "stretch": 0.1, "tilt_db": 6, "noise_db": -30, "masks": (3, 4)}


# Images are turned by torchvision.
@pytest.mark.parametrize(
    ("augment", "batch"),
    [(Sounds(**SOUNDS), tone()), (Words(drop=0.2), torch.ones(8, 9, dtype=torch.int64))],
)
def test_what_lies_on_a_gpu_is_changed_there(augment, batch):
    with FakeTensorMode():  # refuses what mixes devices, and needs none
        changed = augment(torch.empty(batch.shape, dtype=batch.dtype, device="cuda"))
    assert (changed.device.type, changed.shape, changed.dtype) == ("cuda", batch.shape, batch.dtype)
