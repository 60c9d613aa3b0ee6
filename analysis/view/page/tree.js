// The map of a search: a column for each step, a row for each way it went, the score as colour.

const SVG = 'http://www.w3.org/2000/svg';
const HEAD = 16, LABEL = 96; // pixels: the numbers above, the answers at the right

function svg(tag, attributes, ...children) {
  const made = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

// Where each step stands: rows from top to bottom in the order of the search, and how many it spans.
function rows(found) {
  const top = [], span = [], stack = [...found.roots].reverse(), order = [];
  let next = 0;
  while (stack.length) {
    const node = stack.pop();
    order.push(node);
    top[node] = next;
    if (!found.children[node].length) next += 1;
    for (const child of [...found.children[node]].reverse()) stack.push(child);
  }
  for (const node of order.reverse()) {
    span[node] = found.children[node].reduce((sum, child) => sum + span[child], 0) || 1;
  }
  return { top, span, count: next };
}

function map(found, side, width) {
  if (!found.nodes.parent.length) return h('p', { class: 'none' }, 'The search has no step.');
  const frame = framed(found, side, width);
  const { place, depth, tall, wide, labelled } = frame;
  const parts = [...heads(frame), ...found.depth.map((_, node) => box(frame, node))];
  for (const [leaf, index] of found.owner) parts.push(end(frame, leaf, index));
  const drawn = svg('svg', {
    width: depth * wide + labelled, height: HEAD + place.count * tall + 2, class: tall > 6 ? 'map' : 'map dense',
    role: 'img', tabindex: 0, 'aria-label': `Search tree of ${found.depth.length} steps`,
  }, ...parts);
  drawn.addEventListener('click', (event) => {
    const node = event.target.closest('[data-node]')?.dataset.node;
    if (node !== undefined) choose(side, Number(node));
  });
  return h('div', { class: 'scroll' }, drawn);
}

// The measures of a map: how tall a row is, how wide a column, what is left between them.
function framed(found, side, width) {
  const place = rows(found), depth = found.depth.reduce((most, own) => Math.max(most, own), 0) + 1;
  const tall = Math.max(3, Math.min(22, Math.floor(440 / place.count)));
  const labelled = tall >= 11 ? LABEL : 14;
  const wide = Math.max(16, Math.min(150, Math.floor((width - labelled - 4) / depth)));
  const chosen = new Set(above(found.nodes, selected(found, side)));
  return { found, place, depth, tall, labelled, wide, gap: tall > 6 ? 1.5 : 0.5, chosen };
}

// The numbers of the steps, as many as have room.
function heads({ depth, wide }) {
  const every = wide < 26 ? 5 : 1;
  return Array.from({ length: Math.ceil(depth / every) }, (_, at) =>
    svg('text', { x: (at * every + 0.5) * wide, y: 11, class: 'head' }, String(at * every + 1)));
}

function box({ found, place, tall, wide, gap, chosen }, node) {
  const score = found.nodes.score[node];
  const x = found.depth[node] * wide, y = HEAD + place.top[node] * tall, size = place.span[node] * tall;
  const names = {
    won: found.won.has(node), pruned: !found.kept.has(node), chosen: chosen.has(node), unscored: score === null,
  };
  const inner = { x: x + gap, y: y + gap / 2, width: wide - gap, height: Math.max(1, size - gap) };
  const rect = svg('rect', { ...inner, rx: tall > 9 ? 3 : 0 });
  if (score !== null) rect.style.fill = colour(score);
  const classes = ['step', ...Object.keys(names).filter((name) => names[name])].join(' ');
  const own = svg('g', { class: classes, 'data-node': node }, hint(found.nodes, node), rect);
  if (names.won) own.append(svg('rect', { ...inner, y: inner.y + inner.height - 2, height: 2, class: 'line' }));
  if (size >= 13 && wide >= 34) own.append(svg('text', { x: x + wide / 2, y: y + size / 2 + 4 }, two(score)));
  return own;
}

// What a pointer that rests is told.
function hint(nodes, node) {
  const tokens = nodes.tokens[node] === null ? '' : `, ${number(nodes.tokens[node])} tokens`;
  return svg('title', {}, `${two(nodes.score[node])}${tokens}\n${shortened(nodes.text[node].trim(), 240)}`);
}

// The verdict behind a candidate's last step, with its answer where there is room.
function end({ found, place, tall, wide, gap }, leaf, index) {
  const x = (found.depth[leaf] + 1) * wide + 5, y = HEAD + (place.top[leaf] + place.span[leaf] / 2) * tall;
  const [name, sign] = MARKS.get(found.candidates.correct[index] ?? null);
  const size = { x, y: y + (gap - tall) / 2, width: 5, height: tall - gap };
  if (tall < 8) return svg('rect', { ...size, class: `end ${name}` });
  const answer = tall < 11 ? '' : ` ${shortened(found.candidates.answer[index] ?? 'no answer', 11)}`;
  return svg('text', { x, y: y + 4, class: `end ${name}` }, sign + answer);
}

const shortened = (text, most) => (text.length > most ? `${text.slice(0, most - 1)}…` : text);

// The step that is looked at: the last one of the winner, unless another one was chosen.
function selected(found, side) {
  const own = state.node[side];
  if (own !== null && own in found.nodes.parent) return own;
  return found.leaf ?? found.candidates.leaf.find((leaf) => leaf !== null) ?? found.roots[0];
}

// A step beside this one: to the one before, to the best after it, or to the next above or below in its column.
function beside(found, node, where) {
  if (where === 'before') return found.nodes.parent[node] ?? node;
  if (where === 'after') return onward(found, node) ?? node;
  const place = rows(found);
  const column = found.depth.map((_, at) => at).filter((at) => found.depth[at] === found.depth[node])
    .sort((a, b) => place.top[a] - place.top[b]);
  return column[column.indexOf(node) + (where === 'below' ? 1 : -1)] ?? node;
}

// The child that a reader follows: the winner's, else one that led to a candidate, else the best.
function onward(found, node) {
  const led = (child) => (found.won.has(child) ? 4 : found.kept.has(child) ? 2 : 0);
  const rank = (child) => led(child) + (found.nodes.score[child] ?? 0);
  const better = (best, child) => (best !== null && rank(best) >= rank(child) ? best : child);
  return found.children[node].reduce(better, null);
}
