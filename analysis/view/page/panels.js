// What stands around the tree: the result, the vote, the candidates, the ledger and the settings.

// Which column a selection goes by; of others, such as votes by confidence, none is said to.
const DECIDES = { majority: 'count', weighted: 'sum', hierarchical: 'sum', best: 'best' };
const COLUMNS = { count: 'votes', sum: 'weight', best: 'best' };
const SHOWN = 12; // answers, before "more"

function result(run, at, found) {
  const [answer, correct, tokens, part] = INDEX.problems[at].runs[run];
  const by = (DECIDES[INDEX.runs[run].selection] ?? 'count') === 'count' ? 'votes' : 'weight';
  return h('div', { class: 'result' },
    h('div', { class: 'answer' }, mark(correct), h('b', {}, typesetAnswer(answer ?? 'no answer', found.formulas))),
    h('dl', { class: 'facts' },
      fact(percent(part), `of the ${by}`),
      fact(number(found.candidates.leaf.length), found.candidates.leaf.length === 1 ? 'candidate' : 'candidates'),
      fact(number(found.nodes.parent.length), 'steps'),
      fact(number(tokens), 'tokens decoded')));
}

function fact(value, what) {
  return h('div', {}, h('dd', {}, value), h('dt', {}, what));
}

function ballot(run, found) {
  const by = DECIDES[INDEX.runs[run].selection];
  const decides = found.groups.some((own) => (own[by] ?? null) !== null) ? by : 'count';
  const groups = [...found.groups].sort((a, b) =>
    (a.group === null) - (b.group === null) || b.chosen - a.chosen || (b[decides] ?? 0) - (a[decides] ?? 0));
  const most = Math.max(...groups.filter((own) => own.group !== null).map((own) => own[decides] ?? 0), 1e-9);
  const table = h('table', { class: 'vote' },
    h('thead', {}, h('tr', {}, h('th', { class: 'text', colSpan: 2 }, 'answer'),
      Object.entries(COLUMNS).map(([key, label]) => h('th', { class: key === by ? 'decides' : null }, label)))),
    h('tbody', {}, groups.map((own, place) => group(found, own, place, decides, most))));
  return section('Vote', `decided by ${INDEX.runs[run].selection}`, table,
    groups.length > SHOWN ? h('button', { class: 'more', onclick: (event) => {
      table.classList.add('all');
      event.target.remove();
    } }, `${groups.length - SHOWN} more`) : null);
}

function group(found, own, place, decides, most) {
  const bar = h('span', { class: own.chosen ? 'bar chosen' : 'bar' });
  bar.style.width = own.group === null ? '0' : `${(100 * (own[decides] ?? 0)) / most}%`;
  return h('tr', { class: [own.chosen && 'chosen', place >= SHOWN && 'rest'].filter(Boolean).join(' ') },
    h('td', { class: 'text' }, own.group === null ? null : mark(own.correct), h('span', { class: 'said' },
      own.group === null ? 'no answer' : typesetAnswer(own.answer, found.formulas))),
    h('td', { class: 'bars' }, bar),
    h('td', {}, number(own.count)), h('td', {}, two(own.sum)), h('td', {}, two(own.best)));
}

const CANDIDATE = {
  '#': (_, index) => index,
  answer: (own, index) => own.answer[index] ?? '–',
  score: (own, index) => two(own.score[index]),
  tokens: (own, index) => number(own.tokens[index]),
  thinking: (own, index) => number(own.thinking?.[index]),
  confidence: (own, index) => two(own.confidence[index]),
  subtree: (own, index) => own.subtree?.[index] ?? '–',
  revises: (own, index) => own.revises?.[index]?.length ?? '–',
  stop: (own, index) => (own.stop[index] === null ? '–' : STOPS[own.stop[index]]),
};
const SORTED = new Set(['#', 'score', 'tokens', 'thinking', 'confidence', 'subtree']);

function candidates(found, side) {
  const own = found.candidates, body = h('tbody'), all = own.leaf.map((_, index) => index);
  const names = Object.keys(CANDIDATE).filter((name) => name in own || name === '#');
  const fill = (order) => body.replaceChildren(...order.map((index) => candidate(found, side, names, index)));
  const largest = (column) => [...all].sort((a, b) => (column[b] ?? -1) - (column[a] ?? -1));
  const by = (name) => () => fill(name === '#' ? all : largest(own[name]));
  const head = (name) => h('th', { class: name === 'answer' ? 'text' : null },
    SORTED.has(name) ? h('button', { title: `sort by ${name}`, onclick: by(name) }, name) : name);
  return folded('Candidates', number(all.length), 'candidates', () => {
    fill(all);
    return h('div', { class: 'scroll' },
      h('table', { class: 'candidates' }, h('thead', {}, h('tr', {}, names.map(head))), body));
  });
}

function candidate(found, side, names, index) {
  const own = found.candidates, leaf = own.leaf[index];
  const cells = names.map((name) => h('td', { class: name === 'answer' ? 'text' : null },
    name === 'answer' ? mark(own.correct[index]) : null, String(CANDIDATE[name](own, index))));
  const read = () => { if (leaf !== null) choose(side, leaf); };
  return h('tr', { class: index === found.chosen ? 'chosen' : null, onclick: read }, cells);
}

function ledger(found) {
  const rows = Object.entries(found.ledger).map(([name, count]) =>
    h('tr', {}, h('td', { class: 'text' }, name.replaceAll('_', ' ')), h('td', {}, amount(name, count))));
  return folded('Ledger', 'what is not listed is zero or not known', 'ledger', () =>
    h('table', {}, h('tbody', {}, rows)));
}

function amount(name, count) {
  if (name === 'seconds') return `${count.toFixed(count < 1 ? 3 : 1)} s`;
  return name.endsWith('flops') ? count.toExponential(2).replace('e+', ' × 10^') : number(count);
}

function settings(run) {
  const own = INDEX.runs[run];
  const row = ([name, value]) =>
    h('tr', {}, h('td', { class: 'text' }, name), h('td', { class: 'text value' }, value));
  return folded('Settings', own.folder, 'settings', () =>
    h('table', { class: 'settings' }, h('tbody', {}, own.facts.map(row))));
}

function section(name, aside, ...content) {
  return h('div', { class: 'panel' }, h('h3', {}, name, h('small', {}, aside)), ...content);
}

const open = new Set(); // panels that a reader opened stay so from problem to problem

// A panel that is made when it is opened.
function folded(name, aside, key, content) {
  const made = h('details', { class: 'panel', ontoggle: () => {
    if (!made.open) return open.delete(key);
    open.add(key);
    return made.children.length > 1 || made.append(content());
  } }, h('summary', {}, name, h('small', {}, aside)));
  made.open = open.has(key);
  return made;
}
