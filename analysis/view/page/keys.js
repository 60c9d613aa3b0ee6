// The keys, in the table that `?` shows.

const KEYS = [
  ['j', 'the next problem', () => move(1)],
  ['k', 'the problem before', () => move(-1)],
  ['/', 'search', () => { drawer(true); $('find').focus(); $('find').select(); }],
  ['r', 'right, wrong, or both', () => turned('verdict')],
  ['u', 'where the two runs differ', () => state.shown.length > 1 && turned('differ')],
  ['l', 'the next step', () => walk('after')],
  ['h', 'the step before', () => walk('before')],
  ['[', 'the step above', () => walk('above')],
  [']', 'the step below', () => walk('below')],
  ['w', 'the winner', () => choose(state.active, null)],
  ['x', 'the other run: h l [ ] w move there', () => other()],
  ['c', 'one run, or two side by side', () => compare()],
  ['m', 'the list of problems, shown or not', () => drawer()],
  ['d', 'light or dark', () => shade()],
  ['?', 'these keys', () => helped()],
];
const NARROW = matchMedia('(max-width: 760px)');
const ARROWS = { ArrowRight: 'after', ArrowLeft: 'before', ArrowUp: 'above', ArrowDown: 'below' };

function keys() {
  document.addEventListener('keydown', (event) => {
    const writing = event.target.matches('input, select');
    if (event.key === 'Escape' && writing) event.target.blur();
    if (writing || event.ctrlKey || event.metaKey || event.altKey) return;
    const arrow = event.target.closest('svg.map') ? ARROWS[event.key] : undefined;
    const key = KEYS.find(([name]) => name === event.key);
    if (!arrow && !key) return;
    event.preventDefault();
    if (arrow) walk(arrow);
    else key[2]();
  });
  $('help').addEventListener('click', helped);
  $('theme').addEventListener('click', shade);
  $('menu').addEventListener('click', () => drawer());
  $('keys').append(h('h2', {}, 'Keys'),
    h('table', {}, h('tbody', {}, KEYS.map(([key, what]) =>
      h('tr', {}, h('td', {}, h('kbd', {}, key)), h('td', {}, what))))),
    h('p', {}, 'The arrows move in a tree that was clicked. Esc leaves a field, and this.'),
    h('form', { method: 'dialog' }, h('button', {}, 'Close')));
}

function helped() {
  if ($('keys').open) $('keys').close();
  else $('keys').showModal();
}

function turned(id) {
  const select = $(id);
  select.selectedIndex = (select.selectedIndex + 1) % select.options.length;
  relist();
}

function shade() {
  const dark = state.theme ?? (matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light');
  state.theme = dark === 'dark' ? 'light' : 'dark';
  paint();
  save();
}

// The list: beside the problem where there is room, else over it while it is asked for.
function drawer(wanted) {
  const { classList } = $('side');
  if (NARROW.matches) classList.toggle('opened', wanted);
  else classList.toggle('away', wanted === undefined ? undefined : !wanted);
}
