const box = this.closest('.opeai-nb-pick');
const keys = {ArrowLeft: 'left', ArrowRight: 'right', ArrowDown: 'equal', '=': 'equal', s: 'skip', Backspace: 'back'};
if (box && !box.dataset.keys) {
  box.dataset.keys = box.dataset.lmSuppressShortcuts = 'true';
  const press = (name) => box.querySelector('button.opeai-nb-' + name)?.click();
  box.addEventListener('keydown', (event) => {
    const name = keys[event.key];
    if (!name || event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
    event.preventDefault();
    event.stopPropagation();
    press(name);
  });
  box.addEventListener('click', (event) => {
    const name = event.target.dataset?.choice;
    if (name) press(name);
  });
}
