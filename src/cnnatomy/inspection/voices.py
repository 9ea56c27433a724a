"""Two voices saying the same: how far one's pattern lies above the other's, in bands; pitch and formants of a voice."""

from __future__ import annotations

import numpy as np

FURTHEST = 8  # bands up and down that are tried
STRETCH = 0.3  # what a step that stretches time costs, in squared standard deviations of loudness: time runs straight
LOWEST, HIGHEST = 60.0, 400.0  # Hz, of a speaking voice
VOICED = 0.5  # how periodic a frame must be
FORMANTS = 3


def alignment(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Pairs of frames of two spectrograms (bands, frames) that belong together, int (pairs, 2).

    Dynamic time warping of the loudness alone: a pattern that lies higher doesn't change it.
    Sakoe & Chiba (1978), IEEE Transactions on Acoustics, Speech and Signal Processing 26.
    """
    loud, quiet = (_standard(picture.mean(axis=0)) for picture in (one, other))
    apart = (loud[:, None] - quiet[None]) ** 2
    best = np.full((len(loud) + 1, len(quiet) + 1), np.inf)
    best[0, 0] = 0
    for i in range(len(loud)):
        for j in range(len(quiet)):
            before = min(best[i, j], best[i, j + 1] + STRETCH, best[i + 1, j] + STRETCH)
            best[i + 1, j + 1] = apart[i, j] + before
    i, j = len(loud), len(quiet)
    path = []
    while i > 0 and j > 0:
        path.append((i - 1, j - 1))
        steps = (best[i - 1, j - 1], best[i - 1, j] + STRETCH, best[i, j - 1] + STRETCH)
        i, j = ((i - 1, j - 1), (i - 1, j), (i, j - 1))[int(np.argmin(steps))]
    return np.array(path[::-1])


def _standard(values: np.ndarray) -> np.ndarray:
    spread = values.std()
    return (values - values.mean()) / spread if spread > 0 else np.zeros_like(values)


def similarity(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """The correlation of one aligned spectrogram with the other moved up by each lag, (2 · FURTHEST + 1,).

    Both are (bands, frames). Of the bands that overlap only; lags from −FURTHEST to FURTHEST, fewer where there are few
    bands (then −1: nothing alike).
    """
    pairs = alignment(one, other)
    a, b = one[:, pairs[:, 0]], other[:, pairs[:, 1]]
    bands = len(a)
    found = np.full(2 * FURTHEST + 1, -1.0)
    for lag in range(-FURTHEST, FURTHEST + 1):
        if bands - abs(lag) < 2:
            continue
        upper, lower = (a[lag:], b[: bands - lag]) if lag >= 0 else (a[:lag], b[-lag:])
        upper, lower = upper - upper.mean(), lower - lower.mean()
        scale = float(np.sqrt((upper**2).sum() * (lower**2).sum()))
        found[lag + FURTHEST] = float((upper * lower).sum()) / scale if scale > 0 else 0.0
    return found


def peak(similar: np.ndarray) -> float:
    """The lag of the greatest similarity, between bands by a parabola through it and its neighbours."""
    at = int(similar.argmax())
    if not 0 < at < len(similar) - 1:
        return float(at - FURTHEST)
    left, top, right = similar[at - 1 : at + 2]
    bend = left - 2 * top + right
    return at - FURTHEST + (0.5 * float((left - right) / bend) if bend < 0 else 0.0)


def pitch(sound: np.ndarray, rate: int) -> float | None:
    """The median pitch of the voiced frames in Hz; None where nothing is voiced.

    The first lag of a frame's autocorrelation that is nearly as high as the highest (so that no octave is missed).
    """
    found = [hz for frame in _frames(sound, rate, 0.04) if (hz := _pitch_of(frame, rate)) is not None]
    return float(np.median(found)) if found else None


def _pitch_of(frame: np.ndarray, rate: int) -> float | None:
    frame = frame - frame.mean()
    size = 2 ** int(np.ceil(np.log2(2 * len(frame))))
    spectrum = np.fft.rfft(frame * np.hanning(len(frame)), size)
    window = np.fft.irfft(np.abs(np.fft.rfft(np.hanning(len(frame)), size)) ** 2)
    first, last = int(rate / HIGHEST), min(int(rate / LOWEST), len(frame) * 3 // 4)
    whole = np.fft.irfft(np.abs(spectrum) ** 2)
    if whole[0] <= 0 or last - first < 3:
        return None
    # Without the window's own decay: Boersma (1993), Proceedings of the Institute of Phonetic Sciences 17.
    similar = whole[: last + 1] / whole[0] / (window[: last + 1] / window[0])
    tops = [k for k in range(first, last) if similar[k - 1] < similar[k] >= similar[k + 1]]
    highest = max((similar[k] for k in tops), default=0.0)
    if highest < VOICED:
        return None
    at = next(k for k in tops if similar[k] >= 0.9 * highest)
    left, top, right = similar[at - 1 : at + 2]
    bend = left - 2 * top + right
    return rate / (at + (0.5 * (left - right) / bend if bend < 0 else 0.0))


def formants(sound: np.ndarray, rate: int) -> list[float] | None:
    """The median first formants of the voiced frames in Hz; None where too few frames have them.

    Linear prediction with two poles for each 1,000 samples a second and two more, at 10,000 samples a second
    (Markel & Gray 1976, Linear prediction of speech).
    """
    from scipy.linalg import LinAlgError, solve_toeplitz
    from scipy.signal import resample_poly

    slow = 10_000
    common = int(np.gcd(rate, slow))
    sound = resample_poly(sound.astype(np.float64), slow // common, rate // common)
    sound = np.append(sound[0], sound[1:] - 0.97 * sound[:-1])  # evens out the voice's falling spectrum
    order = 2 + slow // 1000
    found = []
    for frame in _frames(sound, slow, 0.03):
        if _pitch_of(frame, slow) is None:
            continue
        frame = frame * np.hamming(len(frame))
        similar = np.correlate(frame, frame, "full")[len(frame) - 1 :][: order + 1]
        try:
            predictor = solve_toeplitz(similar[:-1], similar[1:])
        except LinAlgError:
            continue
        poles = np.roots(np.append(1, -predictor))
        poles = poles[poles.imag > 0]
        hz = np.angle(poles) * slow / (2 * np.pi)
        width = -np.log(np.abs(poles)) * slow / np.pi
        clear = np.sort(hz[(hz > 150) & (hz < 4500) & (width < 400)])
        if len(clear) >= FORMANTS:
            found.append(clear[:FORMANTS])
    return [float(hz) for hz in np.median(found, axis=0)] if len(found) >= 3 else None


def _frames(sound: np.ndarray, rate: int, seconds: float) -> np.ndarray:
    """Overlapping frames that are not silent, (frames, samples)."""
    size, step = int(seconds * rate), max(1, int(0.01 * rate))
    if len(sound) < size:
        return np.zeros((0, size))
    frames = np.lib.stride_tricks.sliding_window_view(sound.astype(np.float64), size)[::step]
    power = (frames**2).mean(axis=1)
    return frames[power > 1e-3 * power.max(initial=0)]  # 30 dB below the loudest
