"""docs/notebook.ipynb runs as it stands there, from the first cell to the last, and is kept without what it showed."""

from __future__ import annotations

import pytest

from tests.conftest import PROJECT

FILE = PROJECT / "docs/notebook.ipynb"

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def ran(tmp_path_factory):
    """The notebook's cells after a run, and the folder that they ran in."""
    import nbformat
    from nbclient import NotebookClient

    folder = tmp_path_factory.mktemp("notebook")
    notebook = nbformat.read(FILE, as_version=4)
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("OMP_NUM_THREADS", "1")  # beside other tests, more threads wait for each other
        patched.setenv("IPYTHONDIR", str(folder / "ipython"))
        NotebookClient(notebook, timeout=300, resources={"metadata": {"path": str(folder)}}).execute()
    return notebook.cells, folder


def shown(cells, source: str, kind: str) -> str:
    """What the cell that ends with `source` showed, in a form."""
    cell = next(cell for cell in cells if cell.source.endswith(source))
    return next(output.data[kind] for output in cell.outputs if output.output_type == "execute_result")


def test_ten_cells_without_what_they_showed():
    import nbformat

    cells = nbformat.read(FILE, as_version=4).cells
    assert len(cells) == 10
    code = [cell for cell in cells if cell.cell_type == "code"]
    assert not any(cell.outputs or cell.execution_count for cell in code)


def test_exhibits_and_numbers_show_themselves(ran):
    cells, _ = ran
    for source in ('found["kernels"]', 'more["attribution"]'):
        assert shown(cells, source, "text/html").startswith("<iframe srcdoc=")
    accuracy = shown(cells, "query(\"metric == 'test_accuracy'\")", "text/plain").split()
    assert float(accuracy[accuracy.index("0") + 3]) > 0.9, "the network has learnt"
    lost = shown(cells, ".head()", "text/plain")
    assert lost.count("accuracy_lost") == 5 and "filter=" in lost


def test_the_page_lies_where_it_was_asked_for(ran):
    cells, folder = ran
    printed = cells[-1].outputs[0].text
    assert printed.startswith("opened/index.html") and "Does not apply" in printed
    assert (folder / "opened/index.html").is_file() and (folder / "opened/results.csv").is_file()
