"""Speech from the eSpeak NG library, through ctypes: a script for a process of its own.

`python espeak.py <library folder> <output>` reads a plan as JSON from standard input, {"seed": int, "clips": [{"voice",
"text", "rate", "pitch"}, ...]}, writes all clips one after another as int16 to the output, and prints {"sample_rate":
Hz, "lengths": [samples, ...]}.

A process of its own, because the library keeps one global state: some voices use noise, and a clip's bytes depend on
what was spoken before it. The same clips in the same order after the same two seeds are the same bytes. Only the
standard library is imported, so that nothing else can draw from the C library's random numbers.
"""

from __future__ import annotations

import ctypes
import json
import sys
from pathlib import Path
from typing import Any

#: espeak_AUDIO_OUTPUT: sound comes through the callback, in this thread. Retrieval (1) gives the same bytes, but polls
#: a second thread and takes 25 times as long.
SYNCHRONOUS = 2
RATE, PITCH = 1, 3  # espeak_PARAMETER: words a minute; 0 to 99
UTF8 = 1

LIBRARIES = {"linux": "libespeak-ng.so", "darwin": "libespeak-ng.dylib", "win32": "espeak-ng.dll"}


def speak(folder: Path, plan: dict[str, Any], output: Path) -> dict[str, Any]:
    """Speak the plan. Raises RuntimeError for a voice that the library doesn't have, or a clip without sound."""
    library = ctypes.CDLL(str(folder.resolve() / LIBRARIES[sys.platform]))
    sample_rate = library.espeak_Initialize(SYNCHRONOUS, 0, str(folder / "espeak-ng-data").encode(), 0)
    if sample_rate <= 0:
        raise RuntimeError(f"eSpeak NG can't start from {folder}")
    library.espeak_ng_SetRandSeed(ctypes.c_long(plan["seed"]))
    ctypes.CDLL(None if sys.platform != "win32" else "msvcrt").srand(ctypes.c_uint(plan["seed"]))

    pieces: list[bytes] = []

    @ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p)  # type: ignore[untyped-decorator]
    def keep(samples: Any, count: int, events: Any) -> int:
        if samples and count > 0:
            pieces.append(ctypes.string_at(samples, 2 * count))
        return 0

    library.espeak_SetSynthCallback(keep)
    lengths = []
    with output.open("wb") as file:
        for clip in plan["clips"]:
            if library.espeak_SetVoiceByName(clip["voice"].encode()) != 0:
                raise RuntimeError(f"eSpeak NG has no voice {clip['voice']!r}")
            library.espeak_SetParameter(RATE, clip["rate"], 0)
            library.espeak_SetParameter(PITCH, clip["pitch"], 0)
            text = clip["text"].encode() + b"\0"
            pieces.clear()
            library.espeak_Synth(text, ctypes.c_size_t(len(text)), 0, 0, 0, UTF8, None, None)
            sound = b"".join(pieces)
            if not any(sound):
                raise RuntimeError(f"eSpeak NG gave no sound for {clip['text']!r} by {clip['voice']!r}")
            file.write(sound)
            lengths.append(len(sound) // 2)
    return {"sample_rate": sample_rate, "lengths": lengths}


if __name__ == "__main__":
    json.dump(speak(Path(sys.argv[1]), json.load(sys.stdin), Path(sys.argv[2])), sys.stdout)
