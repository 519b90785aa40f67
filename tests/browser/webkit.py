"""WebKitGTK's own browser, on a display of its own, behind the words of Playwright that tests use.

Playwright drives no WebKit but its own build; WebKitGTK's is driven by WebDriver (selenium). Words
are the same, and so is what they mean: who acts on an element waits for it, an element is one.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache, partial
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from PIL import ImageGrab

PROGRAMS = ("WebKitWebDriver", "Xvfb")
ENVIRONMENT = {
    "WEBKIT_DISABLE_SANDBOX_THIS_IS_DANGEROUS": "1",  # as root, it asks for namespaces it hasn't
    "WEBKIT_DISABLE_COMPOSITING_MODE": "1",
    "LIBGL_ALWAYS_SOFTWARE": "1",
    "NO_AT_BRIDGE": "1",
}
POLL = 0.05
# Elements by a list of steps; each step looks in what the step before has found.
FIND = """
const plain = text => (text || '').replace(/\\s+/g, ' ').trim();
const matches = (text, {words, isPattern}) => isPattern
  ? new RegExp(words).test(plain(text)) : plain(text).toLowerCase().includes(words.toLowerCase());
const seen = e => e.getClientRects().length > 0 && getComputedStyle(e).visibility !== 'hidden';
const labels = e =>
  [e.getAttribute('aria-label'), ...[...(e.labels || [])].map(l => l.textContent)];
const nameOf = e => plain(labels(e).filter(Boolean).join(' ') || e.textContent || e.title);
const ROLES = {button: 'button, summary, [role=button]', radio: 'input[type=radio], [role=radio]',
  alert: '[role=alert]', status: '[role=status]'};
const VISIBLE = ':visible'; // a word of Playwright's, at the end
const all = (root, css) => css.endsWith(VISIBLE)
  ? all(root, css.slice(0, -VISIBLE.length)).filter(seen) : [...root.querySelectorAll(css)];
const KINDS = {
  and: (root, steps) => find(steps).includes(root) ? [root] : [],
  css: (root, css) => all(root, css),
  text: (root, wanted) => [...(root.tagName ? [root] : []), ...all(root, '*')]
    .filter(e => !/^(SCRIPT|STYLE)$/.test(e.tagName) && matches(e.textContent, wanted)
    && ![...e.children].some(c => matches(c.textContent, wanted))),
  label: (root, wanted) => all(root, '[aria-label], input, select, textarea, button')
    .filter(e => labels(e).some(text => text && matches(text, wanted))),
  alt: (root, wanted) => all(root, '[alt]').filter(e => matches(e.alt, wanted)),
  placeholder: (root, wanted) => all(root, '[placeholder]')
    .filter(e => matches(e.placeholder, wanted)),
  filter: (root, wanted) => matches(root.textContent, wanted) ? [root] : [],
  role: (root, {role, name}) => all(root, ROLES[role])
    .filter(e => seen(e) && (!name || matches(nameOf(e), name))),
};
const find = steps => steps.reduce((found, [kind, value]) => kind === 'nth'
  ? found.slice(value, value === -1 ? undefined : value + 1)
  : [...new Set(found.flatMap(root => KINDS[kind](root, value)))], [document]);
"""
EVALUATE = """
const [expression, arg, isTest, done] = arguments;
const plainly = value => {
  if (isTest) return !!value;
  if (value === undefined) return null;
  try { return JSON.parse(JSON.stringify(value)); } catch { return null; }
};
try {
  const f = (0, eval)(expression);
  Promise.resolve(typeof f === 'function' ? f(arg) : f).then(
    value => done({value: plainly(value)}), error => done({error: String(error)}));
} catch (error) { done({error: String(error)}); }
"""
FILL = """
const [element, text] = arguments;
element.focus();
if (document.activeElement !== element) return false; // a front end has taken it back
element.select ? element.select() : document.execCommand('selectAll');
document.execCommand(text ? 'insertText' : 'delete', false, text);
return true;
"""
SELECT = """
const [element, {value, label}] = arguments;
const option = [...element.options]
  .find(o => label === null ? [o.value, o.text].includes(value) : o.text === label);
if (!option) return false;
element.value = option.value;
for (const type of ['input', 'change']) element.dispatchEvent(new Event(type, {bubbles: true}));
return true;
"""

# Until an element stands where it stood a frame ago, as Playwright waits: the driver clicks where
# it was, on another cell when a picture comes above it meanwhile.
STILL = """
const [element, done] = arguments;
element.scrollIntoView({block: 'nearest'});
let before = '';
const look = () => {
  const {x, y, width, height} = element.getBoundingClientRect();
  const place = [x, y, width, height].join();
  if (place === before) { done(); return; }
  before = place;
  requestAnimationFrame(look);
};
look();
"""


@cache
def mini_browser() -> Path | None:
    """Find the browser, which is on no path: to look through all libraries takes a while."""
    return next(Path("/usr").glob("lib*/**/webkit2gtk-4*/MiniBrowser"), None)


def missing() -> str:
    """Return what this machine lacks for WebKit; empty where it lacks nothing."""
    if mini_browser() is None:
        return "there is no MiniBrowser of WebKitGTK on this machine"
    lacking = [name for name in PROGRAMS if not shutil.which(name)]
    lacking += [] if find_spec("selenium") else ["selenium"]
    return f"there is no {lacking[0]} on this machine" if lacking else ""


@contextmanager
def display() -> Iterator[str]:
    """Start a display that nobody sees; its name is what X programs take as DISPLAY."""
    process = subprocess.Popen(
        ["Xvfb", "-displayfd", "1", "-screen", "0", "1600x1600x24", "-nolisten", "tcp"],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    assert process.stdout
    try:
        yield f":{process.stdout.readline().decode().strip()}"
    finally:
        process.terminate()
        process.wait(20)
        process.stdout.close()


class Browser:
    """WebKitGTK's browser; each context of it is a process of its own, which knows no other."""

    browser_type = SimpleNamespace(name="webkit")

    def __init__(self, on: str) -> None:
        self.on = on
        self.contexts: list[Context] = []

    def new_context(self, *, viewport: dict[str, int]) -> Context:
        made = Context(self, viewport)
        self.contexts.append(made)
        return made

    def close(self) -> None:
        for context in [*self.contexts]:
            context.close()


class Context:
    """One window."""

    def __init__(self, browser: Browser, viewport: dict[str, int]) -> None:
        from selenium import webdriver
        from selenium.webdriver.remote.client_config import ClientConfig
        from selenium.webdriver.remote.file_detector import UselessFileDetector
        from selenium.webdriver.remote.remote_connection import RemoteConnection

        options = webdriver.WebKitGTKOptions()
        options.binary_location = str(mini_browser())
        options.add_argument("--automation")
        environment = {**os.environ, **ENVIRONMENT, "DISPLAY": browser.on}
        self.browser = browser
        self._service = webdriver.WebKitGTKService(shutil.which(PROGRAMS[0]), env=environment)
        self._service.start()
        server = RemoteConnection(client_config=ClientConfig(self._service.service_url))
        files = (
            UselessFileDetector()
        )  # the browser reads them itself: none is sent to another machine
        self.driver = webdriver.Remote(server, options=options, file_detector=files)
        self.driver.set_script_timeout(90)
        self.timeout = 30.0
        self.pages = [Page(self)]
        self.pages[0].set_viewport_size(viewport)

    def set_default_timeout(self, milliseconds: float) -> None:
        self.timeout = milliseconds / 1000

    def new_page(self) -> Page:
        return self.pages[0]

    def close(self) -> None:
        self.browser.contexts.remove(self)
        self.driver.quit()
        self._service.stop()


class Finder:
    """What elements are looked for in: a page, or other elements."""

    page: Page
    steps: tuple[tuple[str, Any], ...] = ()

    def _then(self, kind: str, value: Any) -> Locator:
        return Locator(self.page, (*self.steps, (kind, value)))

    def locator(self, css: str) -> Locator:
        return self._then("css", css)

    def get_by_text(self, words: str) -> Locator:
        return self._then("text", _wanted(words))

    def get_by_label(self, words: str, *, exact: bool = False) -> Locator:
        return self._then("label", _wanted(re.compile(f"^{words}$") if exact else words))

    def get_by_alt_text(self, words: str) -> Locator:
        return self._then("alt", _wanted(words))

    def get_by_placeholder(self, words: str) -> Locator:
        return self._then("placeholder", _wanted(words))

    def get_by_role(self, role: str, name: str | re.Pattern[str] | None = None) -> Locator:
        return self._then("role", {"role": role, "name": name and _wanted(name)})


def _wanted(words: str | re.Pattern[str]) -> dict[str, Any]:
    if isinstance(words, str):
        return {"words": words, "isPattern": False}
    return {"words": words.pattern, "isPattern": True}


class Page(Finder):
    """What stands in a window."""

    def __init__(self, context: Context) -> None:
        self.page = self
        self.context = context
        self.driver = context.driver
        self.keyboard = Keyboard(self)
        self.mouse = Mouse(self)

    @property
    def url(self) -> str:
        return str(self.driver.current_url)

    def goto(self, url: str) -> None:
        self.driver.get(url)

    def reload(self) -> None:
        self.driver.refresh()

    def evaluate(self, expression: str, arg: Any = None, *, is_test: bool = False) -> Any:
        said = self.driver.execute_async_script(EVALUATE, expression, arg, is_test)
        if "error" in said:
            raise AssertionError(said["error"])
        return said.get("value")

    def wait_for_function(self, expression: str, *, arg: Any = None, polling: int = 100) -> None:
        test = partial(self.evaluate, expression, arg, is_test=True)
        self.wait_until(test, expression, polling / 1000)

    def wait_until(self, test: Callable[[], Any], name: str, pause: float = POLL) -> Any:
        """Return what *test* returns as soon as it is true."""
        end = time.monotonic() + self.context.timeout
        while not (found := test()):
            assert time.monotonic() < end, f"waited {self.context.timeout} s for {name}"
            time.sleep(pause)
        return found

    def wait_for_selector(self, css: str, state: str = "visible") -> None:
        self.locator(css).first.wait_for(state)

    def set_viewport_size(self, size: dict[str, int]) -> None:
        """Resize the window: what stands around the page is part of it."""
        now = self.evaluate("() => [outerWidth - innerWidth, outerHeight - innerHeight]")
        self.driver.set_window_size(size["width"] + now[0], size["height"] + now[1])

    def screenshot(self, *, path: Path, **_: Any) -> None:
        """Write what the display shows of the window; the driver's own way may never end."""
        x, y, width, height = self.evaluate(
            "() => [screenX, screenY, outerWidth, outerHeight].map(Math.round)"
        )
        place = (x, y, x + width, y + height)
        ImageGrab.grab(bbox=place, xdisplay=self.context.browser.on).save(path)

    def console_messages(self) -> list[Any]:
        return []  # WebDriver tells of none


class Locator(Finder):
    """Elements, looked for anew whenever something is done with them."""

    def __init__(self, page: Page, steps: tuple[tuple[str, Any], ...]) -> None:
        self.page = page
        self.steps = steps

    def filter(self, *, has_text: str) -> Locator:
        return self._then("filter", _wanted(has_text))

    def and_(self, other: Locator) -> Locator:
        return self._then("and", other.steps)

    def all(self) -> list[Locator]:
        return [self.nth(number) for number in range(self.count())]

    def nth(self, number: int) -> Locator:
        return self._then("nth", number)

    @property
    def first(self) -> Locator:
        return self.nth(0)

    def _ask(self, expression: str, arg: Any = None) -> Any:
        """Return what a function of the elements that are there, and of *arg*, says."""
        whole = f"([steps, arg]) => {{ {FIND} return ({expression})(find(steps), arg); }}"
        return self.page.evaluate(whole, [self.steps, arg])

    def evaluate(self, expression: str) -> Any:
        """Return what a function of the element says, as soon as it is there alone."""
        self.wait_for("attached")
        return self._ask(f"found => ({expression})(found[0])")

    def count(self) -> int:
        return int(self._ask("found => found.length"))

    def is_visible(self) -> bool:
        return bool(self._ask("found => found.length === 1 && seen(found[0])"))

    def is_hidden(self) -> bool:
        return not self.is_visible()

    def wait_for(self, state: str = "visible") -> None:
        tests = {
            "visible": "found => found.length === 1 && seen(found[0])",
            "attached": "found => found.length === 1",
            "hidden": "found => !found.some(seen)",
            "detached": "found => !found.length",
        }
        self.page.wait_until(partial(self._ask, tests[state]), f"{state}: {self.steps}")

    def element(self, *, is_seen: bool = True) -> Any:
        """Return the element as soon as it is there, alone, and can be used."""
        ready = "e => seen(e) && !e.disabled" if is_seen else "() => true"
        script = (
            f"{FIND} const found = find(arguments[0]); if (found.length > 1) return found.length;"
        )
        script += f"return found.length && ({ready})(found[0]) ? found[0] : null;"
        ask = partial(self.page.driver.execute_script, script, self.steps)
        found = self.page.wait_until(ask, f"an element to use: {self.steps}")
        assert not isinstance(found, int), f"{found} elements, not one: {self.steps}"
        return found

    def _do(self, act: Callable[[Any], Any], *, is_seen: bool = True) -> Any:
        """Act on the element; once more, as long as it is replaced or covered meanwhile."""
        from selenium.common import exceptions as e

        passing = (
            e.StaleElementReferenceException,
            e.ElementClickInterceptedException,
            e.ElementNotInteractableException,  # where a notebook scrolls meanwhile
        )
        said: list[Any] = []

        def attempt() -> bool:
            try:
                said.append(act(self.element(is_seen=is_seen)))
            except passing:
                return False
            return True

        self.page.wait_until(attempt, f"what lies over {self.steps}")
        return said[0]

    def _say(self, script: str) -> Any:
        return self._do(partial(self.page.driver.execute_script, script), is_seen=False)

    def click(
        self, *, click_count: int = 1, delay: int = 0, modifiers: tuple[str, ...] | list[str] = ()
    ) -> None:
        if click_count == 1 and not modifiers:
            self._do(self._click)
            return
        self.hover()
        for key in modifiers:
            self.page.keyboard.down(key)
        for _ in range(click_count):
            self.page.mouse.down()
            time.sleep(delay / 1000)
            self.page.mouse.up()
        for key in modifiers:
            self.page.keyboard.up(key)

    def _click(self, element: Any) -> None:
        self.page.driver.execute_async_script(STILL, element)
        element.click()

    def check(self, *, force: bool = False) -> None:
        """Click where it is, seen or not."""
        assert force, "a control that is seen is clicked"
        self.hover()
        self.page.mouse.down()
        self.page.mouse.up()

    def hover(self) -> None:
        place = self.bounding_box()
        self.page.mouse.move(place["x"] + place["width"] / 2, place["y"] + place["height"] / 2)

    def bounding_box(self) -> dict[str, float]:
        script = "arguments[0].scrollIntoView({block: 'nearest'}); const {x, y, width, height} ="
        script += "arguments[0].getBoundingClientRect(); return {x, y, width, height};"
        box: dict[str, float] = self._say(script)
        return box

    def focus(self) -> None:
        focus = "arguments[0].focus(); return document.activeElement === arguments[0];"
        self.page.wait_until(partial(self._say, focus), f"the focus on {self.steps}")

    def press(self, keys: str) -> None:
        self.focus()
        self.page.keyboard.press(keys)

    def fill(self, text: str) -> None:
        write = partial(self.page.driver.execute_script, FILL)
        self.page.wait_until(lambda: self._do(lambda e: write(e, text)), "the focus to write")

    def select_option(self, value: str | None = None, *, label: str | None = None) -> None:
        choice = {"value": value, "label": label}
        select = partial(self.page.driver.execute_script, SELECT)
        self.page.wait_until(lambda: self._do(lambda e: select(e, choice)), f"option {choice}")

    def set_input_files(self, path: Path) -> None:
        self._do(lambda element: element.send_keys(str(path)), is_seen=False)

    def is_checked(self) -> bool:
        return bool(self._say("return arguments[0].checked"))

    def input_value(self) -> str:
        return str(self._say("return arguments[0].value"))

    def inner_text(self) -> str:
        return str(self._say("return arguments[0].innerText"))

    def text_content(self) -> str:
        return str(self._say("return arguments[0].textContent"))

    def get_attribute(self, name: str) -> str | None:
        value: str | None = self._say(f"return arguments[0].getAttribute({name!r})")
        return value


class Keyboard:
    """Keys, as they come from a keyboard: to whatever has the focus."""

    def __init__(self, page: Page) -> None:
        self._page = page

    def _do(self, *acts: tuple[str, str]) -> None:
        from selenium.webdriver.common.action_chains import ActionChains

        chain = ActionChains(self._page.driver, duration=0)
        for act, key in acts:
            getattr(chain, act)(_key(key))
        chain.perform()

    def down(self, key: str) -> None:
        self._do(("key_down", key))

    def up(self, key: str) -> None:
        self._do(("key_up", key))

    def press(self, keys: str) -> None:
        """Press keys that `+` joins, all but the last held down."""
        held = re.split(r"(?<=.)\+", keys)
        self._do(*(("key_down", key) for key in held), *(("key_up", key) for key in held[::-1]))

    def type(self, text: str) -> None:
        for letter in text:
            self._do(("key_down", letter), ("key_up", letter))

    def insert_text(self, text: str) -> None:
        insert = "text => { document.execCommand('insertText', false, text); }"
        self._page.evaluate(insert, text)


def _key(name: str) -> str:
    from selenium.webdriver.common.keys import Keys

    known = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).upper()
    return name if len(name) == 1 else str(getattr(Keys, known))


class Mouse:
    """The mouse, in pixels of the page."""

    def __init__(self, page: Page) -> None:
        self._page = page
        self._at = (0.0, 0.0)

    def _do(self, act: str, *place: int) -> None:
        from selenium.webdriver.common.actions.action_builder import ActionBuilder

        builder = ActionBuilder(self._page.driver, duration=0)
        getattr(builder.pointer_action, act)(*place)
        builder.perform()

    def move(self, x: float, y: float, steps: int = 1) -> None:
        left, top = self._at
        for part in (step / steps for step in range(1, steps + 1)):
            place = round(left + part * (x - left)), round(top + part * (y - top))
            self._do("move_to_location", *place)
        self._at = (x, y)

    def down(self) -> None:
        self._do("pointer_down")

    def up(self) -> None:
        self._do("pointer_up")
