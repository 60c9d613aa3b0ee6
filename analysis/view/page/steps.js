// The steps of one way through the tree, to be read.

const STOPPED = {
  step: 'goes on', end: 'ends here', thought: 'the thinking ends', cut: 'cut by the strategy', length: 'cut: too long',
  step_length: 'step cut: too long', budget: 'the budget ran out',
  doubt: 'cut: too unsure',
};

function reading(found, side) {
  if (!found.nodes.parent.length) return h('div');
  const here = selected(found, side);
  const path = above(found.nodes, here);
  for (let next = onward(found, here); next !== null; next = onward(found, next)) path.push(next);
  const leaf = path[path.length - 1], index = found.owner.get(leaf);
  return h('div', { class: 'reading' },
    h('h3', {}, index === undefined ? 'A way that was pruned' : `Candidate ${index}`,
      leaf === found.leaf ? h('span', { class: 'tag' }, 'chosen') : null),
    h('ol', { class: 'steps' }, path.map((node, at) => step(found, side, node, at, node === here, leaf))));
}

function step(found, side, node, at, here, leaf) {
  const { nodes } = found, stop = STOPS[nodes.stop[node]];
  const bar = h('span', { class: 'bar' });
  bar.style.background = colour(nodes.score[node]);
  const tags = marks(found, node, leaf);
  const tokens = nodes.tokens[node] === null ? '' : `${number(nodes.tokens[node])} tokens`;
  return h('li', { class: `step ${tags.join(' ')}`, 'data-here': here ? '' : null, onclick: () => choose(side, node) },
    bar,
    h('header', {},
      h('b', {}, `Step ${at + 1}`),
      h('span', { class: 'score', title: 'score of the PRM' }, two(nodes.score[node])),
      h('span', {}, tokens),
      h('span', { title: `stop: ${stop}` }, STOPPED[stop] ?? stop),
      tags.map((tag) => h('span', { class: 'tag' }, tag)),
      siblings(found, side, node)),
    h('p', {}, typeset(nodes.text[node].trim() || '(blank)', found.formulas)));
}

// What a step is beside its score; of the winner itself it goes without saying that it won.
function marks(found, node, leaf) {
  const flags = found.nodes.flags?.[node] ?? 0;
  const names = {
    won: found.won.has(node) && leaf !== found.leaf, pruned: !found.kept.has(node),
    thinking: flags & THINKING, given: flags & GIVEN,
  };
  return Object.keys(names).filter((name) => names[name]);
}

// To the other steps that were sampled in this place.
function siblings(found, side, node) {
  const parent = found.nodes.parent[node];
  const all = parent === null ? found.roots : found.children[parent];
  if (all.length < 2) return null;
  const at = all.indexOf(node);
  const turn = (by, sign, what) => h('button', {
    title: what, disabled: !(at + by in all),
    onclick: (event) => { event.stopPropagation(); choose(side, all[at + by]); },
  }, sign);
  return h('span', { class: 'siblings' },
    turn(-1, '‹', 'the one before'), `${at + 1} of ${all.length}`, turn(1, '›', 'the next one'));
}
