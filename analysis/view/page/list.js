// The list of problems and its filters.

const VERDICTS = { all: 'right and wrong', right: 'right', wrong: 'wrong', ungraded: 'not graded' };
const DIFFER = { all: 'alike or not', verdict: 'one right, one wrong', answer: 'other answers' };

function filters() {
  options($('verdict'), Object.entries(VERDICTS));
  const known = INDEX.problems.map((one) => one.level).filter((one) => one !== null);
  const levels = [...new Set(known)].sort((a, b) => a - b);
  options($('level'), [['all', 'every level'], ...levels.map((level) => [String(level), `level ${level}`])]);
  $('level').hidden = !levels.length;
  options($('differ'), Object.entries(DIFFER));
  for (const id of ['verdict', 'level', 'differ']) $(id).addEventListener('change', relist);
  $('find').addEventListener('input', relist);
}

function options(select, pairs) {
  select.replaceChildren(...pairs.map(([value, label]) => h('option', { value }, label)));
}

// Places of the problems that pass the filters. Verdicts are those of the runs shown: any of them.
function passing() {
  const words = $('find').value.toLowerCase().split(/\s+/).filter(Boolean);
  const [verdict, level, differ] = ['verdict', 'level', 'differ'].map((id) => $(id).value);
  return INDEX.problems.map((_, at) => at).filter((at) => {
    const problem = INDEX.problems[at];
    const own = state.shown.map((run) => problem.runs[run]).filter(Boolean);
    return (
      (verdict === 'all' || own.some(([, correct]) => MARKS.get(correct)[0] === verdict)) &&
      (level === 'all' || String(problem.level) === level) &&
      (differ === 'all' || apart(own, differ === 'verdict' ? 1 : 0)) &&
      words.every((word) => sought(problem).includes(word))
    );
  });
}

function apart(own, column) {
  return own.length === 2 && own[0][column] !== own[1][column];
}

function sought(problem) {
  const answers = problem.runs.map((own) => own?.[0]);
  return [problem.id, problem.question, problem.family, problem.reference, ...answers].join('\n').toLowerCase();
}

function relist() {
  $('differ').hidden = state.shown.length < 2;
  if (state.shown.length < 2) $('differ').value = 'all';
  const places = passing();
  $('list').replaceChildren(...places.map(entry));
  const right = state.shown.map((run) => places.filter((at) => INDEX.problems[at].runs[run]?.[1]).length);
  const all = places.length === INDEX.problems.length ? '' : ` of ${number(INDEX.problems.length)}`;
  const graded = state.shown.some((run) => INDEX.runs[run].graded);
  const told = graded ? `, ${right.map(number).join(' and ')} right` : '';
  $('count').textContent = `${number(places.length)}${all} problems${told}`;
  current();
}

function entry(at) {
  const problem = INDEX.problems[at];
  const level = problem.level === null ? null : `level ${problem.level}`;
  return h('li', { 'data-at': at },
    h('button', { onclick: () => go(at), title: problem.question ?? '' },
      h('span', { class: 'marks' }, state.shown.map((run) => mark(problem.runs[run]?.[1]))),
      h('span', { class: 'what' }, problem.question ?? problem.id),
      h('small', {}, [problem.question && problem.id, level, problem.family].filter(Boolean).join(' · '))));
}

function current() {
  for (const item of $('list').children) {
    const here = Number(item.dataset.at) === state.problem;
    item.toggleAttribute('data-here', here);
    if (here) {
      item.firstChild.setAttribute('aria-current', 'true');
      item.scrollIntoView({ block: 'nearest' });
    } else item.firstChild.removeAttribute('aria-current');
  }
}

// The next (by = 1) or the one before (-1) among those listed.
function move(by) {
  const places = [...$('list').children].map((item) => Number(item.dataset.at));
  if (!places.length) return;
  const here = places.indexOf(state.problem);
  const next = here < 0 ? (by > 0 ? 0 : places.length - 1) : here + by;
  if (next in places) go(places[next]);
}
