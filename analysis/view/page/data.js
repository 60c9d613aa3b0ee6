// What the page was given: INDEX from the start, searches one by one as they are looked at.

const INDEX = JSON.parse(document.getElementById('index').textContent);
const STOPS = INDEX.stops; // why a step ended
const THINKING = 1, GIVEN = 2;
const KEPT = 24; // unpacked searches that are kept
const unpacked = new Map();

// The element, once it has been read: searches stand last in the file, and the first ones are shown before the others.
async function arrived(id) {
  while (!document.getElementById(id) && document.readyState === 'loading') {
    await new Promise((done) => setTimeout(done, 10));
  }
  return document.getElementById(id);
}

// The search of a run on a problem (their places in INDEX), or null where the run has none.
async function search(run, at) {
  const id = `c${run}-${at}`;
  if (!unpacked.has(id)) {
    const packed = await arrived(id);
    if (!packed) return null;
    unpacked.set(id, prepared(await inflated(packed.textContent)));
    if (unpacked.size > KEPT) unpacked.delete(unpacked.keys().next().value);
  }
  return unpacked.get(id);
}

async function inflated(base64) {
  const bytes = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream('deflate'));
  return JSON.parse(await new Response(stream).text());
}

// With what follows from the columns: children, depths, what won, what led to a candidate, and the vote.
function prepared(found) {
  const { nodes, candidates, chosen } = found;
  const size = nodes.parent.length;
  const children = Array.from({ length: size }, () => []);
  const roots = [], depth = [];
  nodes.parent.forEach((parent, node) => {
    (parent === null ? roots : children[parent]).push(node);
    depth.push(parent === null ? 0 : depth[parent] + 1);
  });
  const kept = new Set(), owner = new Map();
  candidates.leaf.forEach((leaf, index) => {
    if (leaf !== null && !owner.has(leaf)) owner.set(leaf, index);
    for (let node = leaf; node !== null && !kept.has(node); node = nodes.parent[node]) kept.add(node);
  });
  const leaf = chosen === null ? null : candidates.leaf[chosen];
  if (leaf !== null) owner.set(leaf, chosen);
  const won = new Set(leaf === null ? [] : above(nodes, leaf));
  return { ...found, children, roots, depth, kept, owner, won, leaf, groups: vote(candidates, chosen) };
}

// From the first step to this one.
function above(nodes, node) {
  const path = [];
  for (; node !== null; node = nodes.parent[node]) path.unshift(node);
  return path;
}

// Candidates by their answer, heaviest first. count: votes, sum and best: of scores.
function vote(candidates, chosen) {
  const groups = new Map();
  candidates.group.forEach((group, index) => {
    if (!groups.has(group)) groups.set(group, { group, count: 0, sum: null, best: null, members: [] });
    const own = groups.get(group), score = candidates.score[index];
    own.count += 1;
    own.members.push(index);
    if (score !== null) {
      own.sum = (own.sum ?? 0) + score;
      own.best = Math.max(own.best ?? 0, score);
    }
  });
  return [...groups.values()].map((own) => ({
    ...own,
    answer: candidates.answer[own.members[0]],
    correct: candidates.correct[own.members[0]],
    chosen: chosen !== null && own.group === candidates.group[chosen],
  })).sort((a, b) => (a.group === null) - (b.group === null) || (b.sum ?? 0) - (a.sum ?? 0) || b.count - a.count);
}
