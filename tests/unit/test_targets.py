"""What a `_target_` may be: whatever Hydra finds is found without importing it, what it doesn't is told, and what is of
neither torch's networks nor the user's own is not called unasked."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import torch
from hydra.utils import instantiate

from cnnatomy.config import definitions, folders, modules, targets
from cnnatomy.config.compose import compose
from cnnatomy.config.errors import ConfigurationError

FILES = {
    "mynets/__init__.py": (
        "from functools import partial\n"
        "import functools as tools\n"
        "from mynets.net import Net\n"
        "from .net import Net as Renamed, build\n"
        "from .more import *\n"
        "from . import net as nets\n"
        "Wide = partial(Net, width=3)\n"
        "Wider = tools.partial(Wide, (1, 4, 4))\n"
        "Again = nets.Net\n"
        "if True:\n    from .net import Net as Conditional\n"
        "try:\n    from .nowhere import Fast as Quick\nexcept ImportError:\n    Quick = Net\n"
    ),
    "mynets/net.py": (
        "from torch import nn\n"
        "class Net(nn.Flatten):\n"
        "    def __init__(self, shape, classes, width=2):\n"
        "        super().__init__()\n"
        "    @classmethod\n"
        "    def small(cls, shape, classes, *, depth=1):\n"
        "        return cls(shape, classes, 1)\n"
        "    @staticmethod\n"
        "    def large(classes):\n"
        "        return Net(None, classes)\n"
        "    class Inner(nn.Flatten):\n"
        "        pass\n"
        "class Heir(Net):\n"
        "    '''Takes what Net takes.'''\n"
        "def build(classes, **more):\n"
        "    return Net(None, classes)\n"
        "def made():\n"
        "    return Net\n"
        "Made = made()\n"
    ),
    "mynets/more.py": "from mynets.net import Net as Starred\nfrom torch.nn import Identity\n_hidden = 3\n",
    "mynets/same.py": "def same(classes):\n    from torch import nn\n    return nn.Flatten()\n",
    "mynets/lazy/__init__.py": (
        "def __getattr__(name):\n"
        "    if name != 'Later':\n"
        "        raise AttributeError(name)\n"
        "    from mynets.net import Net\n"
        "    return Net\n"
    ),
    "spaces/inner/net.py": "from mynets.net import Net as Spaced\n",
    "alone.py": (
        "import os\nfrom cnnatomy.config import targets\nfrom os import path\nimport torch.nn as nn\n"
        "class Plain(nn.Flatten):\n    pass\n"
    ),
    "broken.py": "class Net:\n    def __init__(self:\n",
    "empty.py": "",
}


@pytest.fixture
def own(tmp_path, monkeypatch):
    """A user's folder of modules; what was read of others before is forgotten, and of these afterwards."""
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    (tmp_path / "mynets/__init__.py").open("a").write("from .same import same\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))

    def forget() -> None:
        for cached in (
            modules.spec_of, modules.file_of, modules.is_ours, modules.tree_of, definitions._bindings,
            definitions.resolve, folders._refuse_doubles,
        ):  # fmt: skip
            cached.cache_clear()
        for name in [name for name in sys.modules if name.partition(".")[0] in ("mynets", "spaces", "alone")]:
            del sys.modules[name]

    forget()
    yield tmp_path
    forget()


def checked(target: str, **keys: object) -> None:
    node = {"_target_": target, **keys}
    targets.check_allowed({"model": node})
    targets.check(node, "model", given_later=("shape", "classes", "vocabulary"))


FOUND = [
    "mynets.Net", "mynets.Renamed", "mynets.build", "mynets.Starred", "mynets.Identity", "mynets.Wide", "mynets.Wider",
    "mynets.Again", "mynets.Conditional", "mynets.Quick", "mynets.net.Net", "mynets.net.Net.small",
    "mynets.net.Net.large", "mynets.net.Net.Inner", "mynets.Net.small", "mynets.nets.Net", "mynets.net.Heir",
    "mynets.same", "mynets.lazy.Later", "spaces.inner.net.Spaced", "alone.Plain", "torchvision.models.alexnet",
    "torchvision.models.resnet18", "torchvision.models.mobilenet.mobilenet_v2", "torch.nn.Identity",
]  # fmt: skip


@pytest.mark.parametrize("target", FOUND)
def test_whatever_hydra_finds_is_found(own, target):
    checked(target)
    keys = {"shape": (1, 4, 4), "classes": 2}
    if target.endswith("Wider") or target.split(".")[-1] in ("build", "large", "same"):  # its shape is given
        keys = {"classes": 2}
    elif target.split(".")[-1] in ("Identity", "Inner", "Plain") or "torchvision" in target:
        keys = {}
    if "torchvision" not in target:
        assert isinstance(instantiate({"_target_": target, **keys}), torch.nn.Module)


def test_torch_is_not_imported_for_what_there_is(own):
    program = f"""
import sys
from cnnatomy.config import targets
for target in {FOUND}:
    targets.check_allowed({{"model": {{"_target_": target}}}})
    targets.definition(target, "model")
assert "torch" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", program], check=True, cwd=own)


@pytest.mark.parametrize(
    ("target", "keys", "says"),
    [
        ("mynets.Nett", {}, "mynets has no 'Nett'. Did you mean 'Net'?"),
        ("mynets.net.Net.smal", {}, None),  # of a class with a base that is not read: it may be inherited
        ("mynets.net.Nut", {}, "mynets.net has no 'Nut'. Did you mean 'Net'?"),
        ("mynet.Net", {}, "no module of the name 'mynet.Net' is on Python's path. Did you mean 'mynets'?"),
        ("alone.Plane", {}, "alone has no 'Plane'. Did you mean 'Plain'?"),
        ("empty.Net", {}, "empty has no 'Net'. It defines nothing."),
        ("Net", {}, "'Net' is no module and a name in it; write it as in nets.Net"),
        ("mynets.net", {}, "mynets.net is a module; name the class or the function in it. Did you mean 'Net'?"),
        ("broken.Net", {}, "broken.py, line 2: "),
        ("mynets.Net", {"widht": 3}, "model.widht: mynets.Net takes no such argument. Did you mean 'width'?"),
        ("mynets.net.Heir", {"widht": 3}, "Did you mean 'width'?"),
        ("mynets.Net.small", {"width": 3}, "model.width: mynets.Net.small takes no such argument."),
        ("mynets.Net.small", {"depth": 3}, None),
        ("mynets.net.Net.large", {"shape": 3}, "There are: classes."),
        ("mynets.build", {"anything": 3}, None),
        ("mynets.Wide", {"widht": 3}, "Did you mean 'width'?"),
        ("torchvision.models.alexnett", {}, "torchvision.models has no 'alexnett'. Did you mean 'alexnet'?"),
        ("torch.nn.Lineer", {}, "torch.nn has no 'Lineer'. Did you mean 'Linear'?"),
    ],
)
def test_what_is_misspelt_is_told_with_the_nearest_right_name(own, target, keys, says):
    if says is None:
        checked(target, **keys)
        return
    with pytest.raises(ConfigurationError) as caught:
        checked(target, **keys)
    assert says in str(caught.value)
    assert "There are none" not in str(caught.value)


def test_an_editable_install_is_found_by_its_finder(own, monkeypatch):
    class Finder:
        @classmethod
        def find_spec(cls, name, path=None, target=None):
            from importlib.util import spec_from_file_location

            if name == "installed":
                return spec_from_file_location(name, own / "elsewhere" / "installed.py")
            return None

    (own / "elsewhere").mkdir()
    (own / "elsewhere" / "installed.py").write_text("from torch import nn\nclass Net(nn.Flatten):\n    pass\n")
    monkeypatch.setattr(sys, "meta_path", [*sys.meta_path, Finder])
    checked("installed.Net")
    with pytest.raises(ConfigurationError, match="installed has no 'Nett'. Did you mean 'Net'"):
        checked("installed.Nett")


@pytest.mark.parametrize(
    ("target", "line"),
    [
        ("os.system", "allow: [os]"),
        ("subprocess.call", "allow: [subprocess]"),
        ("builtins.eval", "allow: [builtins]"),
        ("timm.create_model", None),  # not installed here: that is what is told
        ("alone.os.system", "allow: [os]"),
        ("alone.path.os.system", "allow: [os.path.os]"),
        ("torch.os.system", "allow: [os]"),
        ("torch.hub.load", "allow: [torch.hub]"),
        ("torch.load", "allow: [torch.serialization]"),
        ("torch.utils.collect_env.run", "allow: [torch.utils.collect_env]"),
        ("torchvision.models._api.importlib.import_module", "allow: [importlib]"),
        ("cnnatomy.launch.subprocess.call", "allow: [subprocess]"),
        ("cnnatomy.config.targets.import_module", "allow: [importlib]"),
        ("alone.targets.import_module", "allow: [importlib]"),
        ("cnnatomy.launch.main", "allow: [cnnatomy.launch]"),
        ("hydra.utils.get_method", "allow: [hydra]"),
        ("functools.partial", "allow: [functools]"),
    ],
)
def test_what_is_no_network_is_not_called_unasked(own, target, line):
    for config in (
        {"model": {"_target_": target}},
        {"training": {"augment": {"also": [{"_target_": target}]}}},
        {"data": {"fetch": {"_target_": "cnnatomy.data.mnist.fetch", "deep": {"_target_": target}}}},
        {"study": {"measures": [{"_target_": target}]}},
        {"dissect": {"mine": {"_target_": target}}},
    ):
        if line is None:
            targets.check_allowed(config)
            continue
        with pytest.raises(ConfigurationError) as caught:
            targets.check_allowed(config)
        assert target in str(caught.value) and line in str(caught.value)
        assert str(caught.value).startswith(next(iter(config)) + ".")
        targets.check_allowed(config | {"allow": [line.removeprefix("allow: [").removesuffix("]")]})


def test_the_line_that_allows_it_is_a_key_of_the_configuration(own):
    with pytest.raises(ConfigurationError, match=r"model\._target_: os\.system .*allow: \[os\]"):
        compose(["run=mnist", "model._target_=os.system"])
    with pytest.raises(ConfigurationError, match="allow: wants a list of modules"):
        compose(["run=mnist", "allow=[3]"])
    assert compose(["run=mnist", "allow=[timm]"])["allow"] == ["timm"]


@pytest.mark.parametrize("group", [*folders.CHOSEN, *folders.COLLECTED])
def test_a_file_with_the_name_of_one_of_the_project_s_is_refused_with_both(own, monkeypatch, group):
    name = folders.options(group)[0]
    (own / "conf" / group).mkdir(parents=True)
    (own / "conf" / group / f"{name}.yaml").write_text("a: 3\n")
    monkeypatch.setenv("CNNATOMY_CONF", str(own / "conf"))
    with pytest.raises(ConfigurationError) as caught:
        folders.options(group)
    assert str(own / "conf" / group / f"{name}.yaml") in str(caught.value)
    assert str(folders.CONF / group / f"{name}.yaml") in str(caught.value)


def test_the_project_s_own_folder_may_be_named(monkeypatch):
    monkeypatch.setenv("CNNATOMY_CONF", str(Path(folders.CONF)))
    assert folders.users() == folders.CONF
