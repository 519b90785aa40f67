// What stock widgets cannot do in the page: refuse a file that is too large before it is sent, take
// dropped files, Ctrl+Enter, the slider, copying, a cell below. Runs as the onload of the panel's
// own style element. Where a front end forbids it, the panel works without, and says what to do.
const panel = this.closest('.opeai-nb-panel');
if (panel && !panel.dataset.ready) {
  panel.dataset.ready = '1';
  const limit = Number(this.dataset.limit);
  const megabytes = (bytes) => (bytes / 1e6).toFixed(1) + ' MB';

  // -- files
  const tell = (text) => {
    const place = panel.querySelector('.ob-upload-note');
    if (place) { place.textContent = text; place.classList.toggle('ob-wrong', !!text); }
  };
  const refuse = (event) => {
    const files = [...event.target.files];
    const sum = files.reduce((total, file) => total + file.size, 0);
    if (sum <= limit) { tell(''); return; }
    event.stopImmediatePropagation();
    const what = files.length === 1 ? files[0].name + ' has ' : files.length + ' files have ';
    tell(what + megabytes(sum) + '; one message to the kernel carries ' + megabytes(limit) +
      '. It was not sent. Put the file beside the notebook and give its path, or start the server ' +
      'with a larger websocket_max_message_size and say so: panel(upload_limit=…).');
  };
  // The widget keeps its file input to itself; it shows itself when the widget clicks on it.
  const proto = HTMLInputElement.prototype;
  const click = proto.click;
  let input = null;
  let opens = true;
  panel.addEventListener('click', (event) => {
    if (!event.target.closest('.widget-upload')) return;
    proto.click = function () {
      proto.click = click;
      input = this;
      if (!this.dataset.guarded) {
        this.dataset.guarded = '1';
        this.addEventListener('change', refuse, true);
      }
      if (opens) click.call(this);
    };
    setTimeout(() => { proto.click = click; });
  }, true);
  const brings = (event) => [...(event.dataTransfer ? event.dataTransfer.types : [])].includes('Files');
  panel.addEventListener('dragover', (event) => {
    if (brings(event)) { event.preventDefault(); panel.classList.add('ob-dragged'); }
  });
  panel.addEventListener('dragleave', (event) => {
    if (!panel.contains(event.relatedTarget)) panel.classList.remove('ob-dragged');
  });
  panel.addEventListener('drop', (event) => {
    panel.classList.remove('ob-dragged');
    const button = panel.querySelector('.widget-upload');
    if (!brings(event) || !button) return;
    event.preventDefault();
    event.stopPropagation();
    opens = false;
    button.click();
    opens = true;
    if (!input) return;
    input.files = event.dataTransfer.files;
    input.dispatchEvent(new Event('change'));
  });

  // -- keys: Ctrl+Enter generates; plain keys are the panel's, not shortcuts of the notebook
  panel.addEventListener('keydown', (event) => {
    if (event.key !== 'Enter' || !(event.ctrlKey || event.metaKey)) return;
    event.preventDefault();
    event.stopPropagation();
    event.target.dispatchEvent(new Event('change', {bubbles: true}));
    panel.querySelector('.ob-generate').click();
  }, true);
  panel.addEventListener('keydown', (event) => {
    if (!event.ctrlKey && !event.metaKey && !event.altKey) event.stopPropagation();
  });

  // -- the slider of a comparison
  panel.addEventListener('input', (event) => {
    const compare = event.target.closest('.ob-compare');
    if (compare) compare.style.setProperty('--cut', event.target.value + '%');
  });

  // -- the picture for readers without a kernel: from a reload of the page on it is not renewed
  const loaded = String(performance.timeOrigin);
  let first = loaded;
  try {
    first = sessionStorage.getItem('opeai-nb-' + this.dataset.panel) || loaded;
    sessionStorage.setItem('opeai-nb-' + this.dataset.panel, first);
  } catch { /* a front end that keeps nothing: the note stays away */ }
  panel.addEventListener('click', (event) => {
    const renews = first !== loaded && event.target.closest('.ob-generate');
    if (renews) panel.classList.add('ob-reloaded');
  }, true);

  // -- copying
  const copied = async (text) => {
    try { await navigator.clipboard.writeText(text); return true; } catch { return false; }
  };
  panel.addEventListener('click', async (event) => {
    const button = event.target.closest('[data-copy]');
    if (!button) return;
    const before = button.textContent;
    const done = await copied(button.dataset.copy);
    if (!done) {
      const shown = button.parentElement.querySelector('code');
      if (shown) getSelection().selectAllChildren(shown);
    }
    button.textContent = done ? 'Copied' : 'Press Ctrl+C';
    setTimeout(() => { button.textContent = before; }, 1600);
  });

  // -- a cell below: the notebook's own button makes it, a paste fills it
  let asked = 0;
  panel.addEventListener('click', (event) => {
    if (event.target.closest('.ob-insert')) asked = Date.now();
  }, true);
  const pause = (ms) => new Promise((done) => setTimeout(done, ms));
  const below = async (code) => {
    const page = panel.closest('.jp-NotebookPanel');
    const insert = page && page.querySelector(
      '.jp-NotebookPanel-toolbar [data-jp-item-name="insert"] :is(jp-button, button)');
    const own = panel.closest('.jp-Cell');
    if (!insert || !own || !own.classList.contains('jp-mod-active')) return false;
    const cells = () => [...page.querySelectorAll('.jp-Notebook .jp-Cell')];
    const known = new Set(cells());
    insert.dispatchEvent(new MouseEvent('mousedown', {bubbles: true, cancelable: true}));
    for (let tries = 0; tries < 60; tries += 1) {
      await pause(50);
      if (tries === 5 && cells().length === known.size) insert.click();  // one of the two is heard
      const made = cells().find((cell) => !known.has(cell));
      const editor = made && made.querySelector('.cm-content');
      if (!editor) continue;
      const data = new DataTransfer();
      data.setData('text/plain', code);
      editor.focus();
      editor.dispatchEvent(
        new ClipboardEvent('paste', {clipboardData: data, bubbles: true, cancelable: true}));
      await pause(50);
      return editor.textContent.includes('%%imagine');
    }
    return false;
  };
  panel.addEventListener('ob-code', async (event) => {
    const box = event.target.closest('.ob-code');
    if (!box || Date.now() - asked > 10000) return;  // not again after a reload
    asked = 0;
    const done = await below(box.querySelector('[data-copy]').dataset.copy);
    if (done) box.classList.add('ob-inserted');
  });
}
