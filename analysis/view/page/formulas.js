// Texts whose formulas are typeset, as far as the page was given them as MathML; else they are shown as they are.

const MATHML = 'http://www.w3.org/1998/Math/MathML';
const FORMULA = new RegExp(INDEX.formula, 'gs');

// What a text is made of: texts and elements. formulas: as they stand in the text -> trees.
function typeset(text, formulas = {}) {
  const parts = [];
  let end = 0;
  for (const { 0: own, index } of text.matchAll(FORMULA)) {
    if (!Object.hasOwn(formulas, own)) continue;
    parts.push(text.slice(end, index), formula(own, formulas));
    end = index + own.length;
  }
  return [...parts, text.slice(end)];
}

// An answer, which is a formula as a whole or a text.
function typesetAnswer(answer, formulas = {}) {
  return Object.hasOwn(formulas, answer) ? [formula(answer, formulas)] : typeset(answer, formulas);
}

// A pointer that rests is told the LaTeX.
function formula(own, formulas) {
  return h('span', { title: own }, element(formulas[own]));
}

function element([tag, attributes, ...children]) {
  const made = document.createElementNS(MATHML, tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children.map((child) => (typeof child === 'string' ? child : element(child))));
  return made;
}
