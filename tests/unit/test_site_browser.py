"""Pages of results in a real browser: nothing is fetched, and tables sort and filter.

`make system` installs Debian's Chromium. Without it these tests are skipped, but for where the
environment variable CI is set: there they fail.
"""

import json
import os
import shutil
import time
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from wowbench.plan import Plan
from wowbench.results.archive import archive_run
from wowbench.results.scores import gather_scores
from wowbench.site.archives import write_archives_page
from wowbench.site.run import write_run_page

pytestmark = pytest.mark.browser

WIDTHS = (1400, 400)
SHOWN = ("transfer_accuracy", "transfer_paired", "loss_curves")

STICKING_OUT = """
const boxes = [...document.querySelectorAll('.dt-layout-table > div, pre, nav > div')];
return [...document.body.querySelectorAll('*')].filter(element => {
  const {left, right, width} = element.getBoundingClientRect();
  const boxed = boxes.some(box => box !== element && box.contains(element));
  return width && !boxed && (right > window.innerWidth + 1 || left < -1);
}).map(element => element.outerHTML.slice(0, 80));
"""
OVER_THE_NEXT = """
return [...document.querySelectorAll('table.data th')].filter(cell => {
  const title = cell.querySelector('.dt-column-title').getBoundingClientRect();
  const {left, right} = cell.getBoundingClientRect();
  return title.left < left - 1 || title.right > right + 1;
}).map(cell => cell.innerText);
"""
COLUMN = """
const [id, column] = arguments;
return [...document.querySelectorAll(`#${id} tbody tr`)].map(row => row.cells[column].innerText);
"""


@pytest.fixture(scope="module")
def browser():
    """Chromium without a window, as Debian has it."""
    paths = {name: shutil.which(name) for name in ("chromium", "chromedriver")}
    missing = [name for name, path in paths.items() if path is None]
    if missing:
        complain = pytest.fail if os.environ.get("CI") else pytest.skip
        complain(f"{' and '.join(missing)} not found; `make system` installs both on Debian")
    webdriver = pytest.importorskip("selenium.webdriver")
    options = webdriver.ChromeOptions()
    options.binary_location = paths["chromium"]
    for argument in ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = webdriver.Chrome(options, webdriver.ChromeService(paths["chromedriver"]))
    yield driver
    driver.quit()


@pytest.fixture(scope="module")
def pages(finished_tiny_run, run_by_hand, tiny_config, tmp_path_factory):
    """The page of the tiny run and that of two archives of it, by name."""
    folder = tmp_path_factory.mktemp("pages")
    shutil.copytree(finished_tiny_run, folder, dirs_exist_ok=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        plan = run_by_hand(tiny_config).plan
        reports = [one for one in plan.reports if one.name in SHOWN]
        patch.setattr(Plan, "reports", reports)
        plan = run_by_hand(tiny_config).plan
        scores = gather_scores(plan)
        for one in reports:
            one.load().write(scores, plan.root / one.file, plan)
        write_run_page(plan, plan.root / "site" / "index.html")
        for name in ("one", "two"):
            archive_run(plan, Path("kept") / name)
        write_archives_page(Path("kept"), Path("public/index.html"))
    return {
        "run": folder / plan.root / "site" / "index.html",
        "archives": folder / "public" / "index.html",
    }


def open_page(browser, path, width=1400):
    """Load a page at a width, and wait until all of its tables can be sorted."""
    metrics = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 600}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    browser.get_log("browser")
    browser.get_log("performance")
    browser.get(path.as_uri())
    ready = "return document.querySelectorAll('table.data:not(.dataTable)').length"
    wait_for(lambda: browser.execute_script(ready) == 0, "tables to be made sortable")


def wait_for(condition, what, seconds=30):
    """Wait until something holds."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"waited {seconds} s in vain for {what}"
        time.sleep(0.05)


@pytest.mark.parametrize("name", ["run", "archives"])
def test_it_loads_without_errors_or_requests(browser, pages, name):
    open_page(browser, pages[name])
    assert browser.get_log("browser") == []
    messages = [json.loads(entry["message"])["message"] for entry in browser.get_log("performance")]
    asked = [
        message["params"]["request"]["url"]
        for message in messages
        if message["method"] == "Network.requestWillBeSent"
    ]
    assert pages[name].as_uri() in asked
    assert {urlsplit(url).scheme for url in asked} <= {"file", "data"}
    others = [url for url in asked if url.startswith("file:")]
    assert others == [pages[name].as_uri()]
    images = "return [...document.images].map(image => image.naturalWidth)"
    for image in browser.find_elements("tag name", "img"):
        browser.execute_script("arguments[0].scrollIntoView()", image)
    wait_for(lambda: all(browser.execute_script(images)), "images")
    assert len(browser.execute_script(images)) == {"run": 2, "archives": 4}[name]


def test_tables_are_sorted_by_their_numbers(browser, pages):
    open_page(browser, pages["run"])
    head = browser.find_elements("css selector", "#measured-table thead th")
    (column,) = [i for i, cell in enumerate(head) if cell.text.strip() == "value"]

    def values():
        return [float(text) for text in browser.execute_script(COLUMN, "measured-table", column)]

    before = values()
    assert before != sorted(before)
    head[column].click()
    wait_for(lambda: values() == sorted(before), "ascending values")
    head[column].click()
    wait_for(lambda: values() == sorted(before, reverse=True), "descending values")


def test_tables_are_filtered_by_words(browser, pages):
    open_page(browser, pages["run"])
    head = browser.find_elements("css selector", "#measured-table thead th")
    (column,) = [i for i, cell in enumerate(head) if cell.text.strip() == "method"]
    everything = browser.execute_script(COLUMN, "measured-table", column)
    assert set(everything) == {"train_on_target", "mmdsw"}
    field = browser.find_element("css selector", "#measured input[type=search]")
    field.send_keys("mmdsw")
    kept = [method for method in everything if method == "mmdsw"]
    wait_for(lambda: browser.execute_script(COLUMN, "measured-table", column) == kept, "the filter")
    field.clear()
    field.send_keys("nothing has this name")
    cells = "return document.querySelectorAll('#measured-table tbody td').length"
    wait_for(lambda: browser.execute_script(cells) == 1, "an empty table")


@pytest.mark.parametrize("name", ["run", "archives"])
def test_every_link_leads_somewhere(browser, pages, name):
    open_page(browser, pages[name])
    links = browser.execute_script("return [...document.links].map(link => link.href)")
    assert any("/records/" in link or link.endswith("scores.csv") for link in links)
    for link in links:
        parts = urlsplit(link)
        assert parts.scheme == "file", link
        assert Path(unquote(parts.path)).is_file(), link
        if parts.fragment:
            assert browser.find_elements("id", unquote(parts.fragment)), link


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("name", ["run", "archives"])
def test_nothing_sticks_out(browser, pages, name, width):
    open_page(browser, pages[name], width)
    for folded in browser.find_elements("tag name", "details"):
        browser.execute_script("arguments[0].open = true", folded)
    assert browser.execute_script("return document.documentElement.scrollWidth") <= width
    assert browser.execute_script(STICKING_OUT) == []
    assert browser.execute_script(OVER_THE_NEXT) == []
    if width < 600:
        wide = "return [...document.querySelectorAll('.dt-layout-table > div')].map(box => "
        wide += "[box.scrollWidth > box.clientWidth, getComputedStyle(box).overflowX])"
        boxes = browser.execute_script(wide)
        assert any(wider for wider, _ in boxes)
        assert all(overflow == "auto" for _, overflow in boxes)
