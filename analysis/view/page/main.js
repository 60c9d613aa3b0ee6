// The page: a problem, and one or two searches of it.

let latest = 0; // a search that was asked for earlier and unpacked later is not shown

function go(at) {
  state.problem = at;
  state.node = [null, null];
  if (NARROW.matches) drawer(false);
  current();
  show().then(() => scrollTo(0, 0));
}

async function show() {
  const own = ++latest;
  const found = await Promise.all(state.shown.map((run) => search(run, state.problem)));
  if (own !== latest) return;
  heading();
  $('searches').className = state.shown.length > 1 ? 'two' : 'one';
  $('searches').replaceChildren(...state.shown.map((run, side) => column(run, side, found[side])));
  state.shown.forEach((_, side) => found[side] && draw(side, found[side]));
  save();
  performance.mark('drawn');
}

function heading() {
  const problem = INDEX.problems[state.problem];
  const told = [['level', problem.level], ['', problem.family], ['reference', problem.reference]];
  $('problem').replaceChildren(
    h('h1', {}, h('small', {}, 'Problem'), ` ${problem.id}`),
    h('p', { class: 'told' }, told.filter(([, value]) => value !== null).map(([name, value]) =>
      h('span', {}, name ? `${name} ` : '', h('b', {}, String(value))))),
    problem.question === null
      ? h('p', { class: 'none' }, 'The question is not at hand (see below).')
      : h('p', { class: 'question' }, typeset(problem.question, problem.formulas)));
}

function column(run, side, found) {
  const name = h('h2', {}, INDEX.runs[run].title);
  if (!found) return h('article', {}, name, h('p', { class: 'none' }, 'This run has no record of the problem.'));
  return h('article', { 'data-side': side, onclick: () => activate(side) }, name,
    result(run, state.problem, found), ballot(run, found),
    h('div', { class: 'panel' }, h('h3', {}, 'Search tree', legend()),
      h('div', { class: 'pair' }, h('div', { class: 'tree' }), h('div', { class: 'read' }))),
    candidates(found, side), ledger(found), settings(run));
}

function legend() {
  return h('small', { class: 'legend' }, '0', h('span', { class: 'ramp', title: 'score' }), '1',
    h('span', { class: 'key won' }, 'won'), h('span', { class: 'key pruned' }, 'pruned'));
}

// The tree and the steps that are read: all that changes when another step is chosen.
function draw(side, found) {
  const own = document.querySelector(`article[data-side="${side}"]`);
  const tree = own.querySelector('.tree'), focused = tree.contains(document.activeElement);
  const [left, top] = [tree.firstChild?.scrollLeft ?? 0, tree.firstChild?.scrollTop ?? 0];
  tree.replaceChildren(map(found, side, tree.clientWidth));
  tree.firstChild.scrollTo(left, top);
  reveal(tree.firstChild, selected(found, side));
  if (focused) tree.querySelector('svg').focus();
  own.querySelector('.read').replaceChildren(reading(found, side));
  activate(state.active);
}

// Have a map that is taller than its frame show the step that is looked at.
function reveal(frame, node) {
  const here = Number(frame.querySelector(`[data-node="${node}"] rect`)?.getAttribute('y') ?? 0);
  const above = here < frame.scrollTop, below = here > frame.scrollTop + frame.clientHeight - 20;
  if (above || below) frame.scrollTop = here - frame.clientHeight / 2;
}

async function choose(side, node) {
  state.node[side] = node;
  activate(side);
  const found = await search(state.shown[side], state.problem);
  if (found) draw(side, found);
  save();
}

async function walk(where) {
  const found = await search(state.shown[state.active], state.problem);
  if (found?.nodes.parent.length) choose(state.active, beside(found, selected(found, state.active), where));
}

function activate(side) {
  state.active = Math.min(side, state.shown.length - 1);
  for (const own of document.querySelectorAll('article')) {
    own.toggleAttribute('data-active', state.shown.length > 1 && Number(own.dataset.side) === state.active);
  }
}

const other = () => activate(state.shown.length > 1 ? 1 - state.active : 0);

function compare() {
  if (INDEX.runs.length < 2) return;
  const free = INDEX.runs.findIndex((_, run) => run !== state.shown[0]);
  shown(state.shown.length > 1 ? [state.shown[state.active]] : [state.shown[0], free]);
}

// Other runs. The steps chosen in one are none of another.
function shown(runs) {
  state.shown = runs;
  state.active = 0;
  state.node = [null, null];
  chooser();
  relist();
  return show();
}

function chooser() {
  const picks = state.shown.map((own, side) => h('select', { 'aria-label': 'Run', onchange: (event) => {
    const runs = [...state.shown];
    runs[side] = Number(event.target.value);
    shown([...new Set(runs)]);
  } }, INDEX.runs.map((run, at) => h('option', { value: at, selected: at === own, title: run.folder }, called(run)))));
  const both = h('button', { onclick: compare, title: 'One run, or two side by side (c)' },
    picks.length > 1 ? 'one run' : 'side by side');
  $('runs').replaceChildren(...(INDEX.runs.length > 1 ? [...picks, both] : [h('b', {}, called(INDEX.runs[0]))]));
}

function called(run) {
  return run.graded ? `${run.title}: ${run.right} of ${run.graded} right` : `${run.title}: ${run.problems} problems`;
}

restore();
paint();
filters();
keys();
chooser();
relist();
$('notes').replaceChildren(...INDEX.notes.map((note) => h('p', {}, note)));
show();
let before = innerWidth;
addEventListener('resize', () => { if (innerWidth !== before) { before = innerWidth; show(); } });
addEventListener('hashchange', () => { restore(); paint(); chooser(); relist(); show(); });
