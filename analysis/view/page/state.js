// What is looked at, kept in the address so that it can be sent to somebody or gone back to; and how elements are made.

const state = {
  problem: 0, // place in INDEX.problems
  shown: INDEX.runs.length > 1 ? [0, 1] : [0], // one or two runs
  active: 0, // which of the shown ones the keys move in
  node: [null, null], // selected step of each shown run; null: the winner's last
  theme: null, // null: as the system has it
};

const $ = (id) => document.getElementById(id);

// An element with properties and children; texts are texts, never markup.
function h(tag, properties = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith('on')) made.addEventListener(name.slice(2), value);
    else if (name === 'class' || name.startsWith('aria-') || name.startsWith('data-') || name === 'role') {
      made.setAttribute(name, value);
    } else made[name] = value;
  }
  made.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return made;
}

const NUMBERS = new Intl.NumberFormat('en');
const number = (value) => (value === null || value === undefined ? '–' : NUMBERS.format(value));
const two = (score) => (score === null ? '–' : score.toFixed(2));
const percent = (part) => (part === null ? '–' : `${Math.round(100 * part)} %`);
const MARKS = new Map([[true, ['right', '✓']], [false, ['wrong', '✗']], [null, ['ungraded', '·']]]);

// Right, wrong, or not known: a sign beside the colour.
function mark(correct) {
  const [name, sign] = MARKS.get(correct ?? null);
  return h('span', { class: `mark ${name}`, title: name }, sign);
}

// The colour of a score, from low over middle to high; nothing for what has none.
function colour(score) {
  if (score === null) return 'var(--unscored)';
  const [from, to, part] = score < 0.5 ? ['low', 'middle', 2 * score] : ['middle', 'high', 2 * score - 1];
  return `color-mix(in oklab, var(--${to}) ${Math.round(100 * part)}%, var(--${from}))`;
}

function save() {
  const words = new URLSearchParams({ problem: INDEX.problems[state.problem].id, runs: state.shown.join(',') });
  state.shown.forEach((_, side) => {
    if (state.node[side] !== null) words.set(`step${side}`, state.node[side]);
  });
  if (state.theme) words.set('theme', state.theme);
  history.replaceState(null, '', `#${words}`);
}

function restore() {
  const words = new URLSearchParams(location.hash.slice(1));
  const at = INDEX.problems.findIndex((problem) => problem.id === words.get('problem'));
  if (at >= 0) state.problem = at;
  const runs = (words.get('runs') ?? '').split(',').map(Number).filter((run) => run in INDEX.runs);
  if (words.get('runs') && runs.length) state.shown = [...new Set(runs)].slice(0, 2);
  state.node = [0, 1].map((side) => (words.has(`step${side}`) ? Number(words.get(`step${side}`)) : null));
  state.theme = ['light', 'dark'].includes(words.get('theme')) ? words.get('theme') : null;
}

function paint() {
  if (state.theme) document.documentElement.dataset.theme = state.theme;
  else delete document.documentElement.dataset.theme;
}
