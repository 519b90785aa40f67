const box = this.closest('.opeai-nb-pick');
const keys = {ArrowLeft: 'left', ArrowRight: 'right', ArrowDown: 'equal', '=': 'equal', s: 'skip', Backspace: 'back'};
if (box && !box.dataset.keys) {
  box.dataset.keys = box.dataset.lmSuppressShortcuts = 'true';
  box.tabIndex = -1;
  box.setAttribute('role', 'group');
  box.setAttribute('aria-label', 'Blind choice');
  // A button that is disabled under the focus, as at the end, would take the keys away with it.
  const stay = () => box.focus({preventScroll: true});
  const press = (name) => box.querySelector('button.opeai-nb-' + name)?.click();
  box.addEventListener('keydown', (event) => {
    const name = keys[event.key];
    if (!name || event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
    event.preventDefault();
    event.stopPropagation();
    stay();
    press(name);
  });
  box.addEventListener('click', (event) => {
    const name = event.target.dataset?.choice;
    if (name) press(name);
    if (event.detail) stay();  // by mouse: whoever tabs stays where they are
  });
}
