// What somebody wrote, as elements: the one renderer.  It knows paragraphs, headings, lists, quotations,
// code and emphasis.  There are no links, no pictures and no markup of any other kind: what looks like
// that is shown as it was written.

import { el } from './dom.js'

// What would not be seen, or would show the rest in another order than it stands in.
const hidden = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/gu
const seen = /[\p{L}\p{M}\p{Emoji}\p{Extended_Pictographic}\ufe0f]/u

// Is it one that writing needs: between letters, or of an emoji?
function isNeeded(text, at, c) {
  if (c === '\n' || c === '\t') return true
  if (!/[\u200c\u200d\ufe0e\ufe0f]/.test(c)) return false
  const before = [...text.slice(Math.max(0, at - 2), at)].at(-1) ?? '', after = String.fromCodePoint(text.codePointAt(at + 1) ?? 0)
  return seen.test(before) && (/[\ufe0e\ufe0f]/.test(c) || seen.test(after))
}

const MARKS = 2000 // in one text

// Pieces of the text and ${mark} of each such character in its place.  Colours of a terminal are left out.
function marked(text, mark) {
  const out = []
  let from = 0, n = 0
  text = String(text ?? '').replace(/\r\n/g, '\n').replace(/\u001b\[[0-9;]*m/g, '')
  for (const m of text.matchAll(hidden)) {
    if (isNeeded(text, m.index, m[0])) continue
    out.push(text.slice(from, m.index), n++ < MARKS ? mark(m[0].codePointAt(0).toString(16).toUpperCase().padStart(4, '0')) : '\ufffd')
    from = m.index + m[0].length
  }
  return [...out, text.slice(from)]
}

// The text, with a mark in the place of each such character.
export const visible = text => marked(text, code => el('span', { class: 'control', title: 'a character that can not be seen' }, `U+${code}`))

// The same where there is room for text only.
export const bare = text => marked(text, () => '\ufffd').join('').replace(/\s+/g, ' ').trim()

// One line, for titles and summaries.
export const line = (text, max = 300) => {
  const s = String(text ?? '').slice(0, 4 * max).replace(/\s+/g, ' ').trim()
  return visible(s.length > max ? s.slice(0, max) + '…' : s)
}

export const pre = (text, attributes) => el('pre', { dir: 'auto', tabindex: '0', ...attributes }, visible(text))

// Code and emphasis within a line.
function inline(text) {
  return text.split(/(`[^`\n]+`|\*\*[^*\n]+\*\*)/).map((part, i) => {
    if (i % 2 === 0) return visible(part)
    return part[0] === '`' ? el('code', null, visible(part.slice(1, -1)))
      : el('strong', null, visible(part.slice(2, -2)))
  })
}

const kinds = [
  ['fence', /^\s{0,8}(```+|~~~+)/],
  ['heading', /^#{1,6}\s+\S/],
  ['rule', /^\s{0,3}([-*_])(\s*\1){2,}\s*$/],
  ['item', /^\s*([-*+]|\d{1,9}[.)])\s+\S/],
  ['quote', /^\s{0,3}>/],
  ['table', /^\s*\|.*\|\s*$/],
  ['blank', /^\s*$/],
]
const kindOf = s => kinds.find(([, r]) => r.test(s))?.[0] ?? 'words'

function item(s) {
  const [, indent, mark, words] = s.match(/^(\s*)([-*+]|\d{1,9}[.)])\s+(.*)$/s)
  const depth = Math.min(4, Math.floor(indent.replaceAll('\t', '  ').length / 2))
  return el('li', { class: `depth${depth}` },
    /\d/.test(mark) ? el('span', { class: 'mark' }, mark + ' ') : null, inline(words))
}

const MAX = 200000

// Text as elements.  What is longer than MAX, or has more lines than a person reads, is shown as it is.
export function prose(text) {
  text = String(text ?? '').replace(/\r\n/g, '\n')
  if (text.length > MAX) return [pre(text)]
  const lines = text.split('\n'), out = []
  const take = kind => {
    const got = []
    while (lines.length > at && kindOf(lines[at]) === kind) got.push(lines[at++])
    return got
  }
  let at = 0
  if (lines.length > 5000) return [pre(text)]
  while (at < lines.length) {
    const kind = kindOf(lines[at]), s = lines[at]
    if (kind === 'fence') {
      const mark = s.trim().match(/^(`+|~+)/)[1], body = []
      for (at++; at < lines.length && !lines[at].trim().startsWith(mark); at++) body.push(lines[at])
      at++
      out.push(pre(body.join('\n'), { class: 'code' }))
    } else if (kind === 'heading') {
      out.push(el('p', { class: `heading h${s.match(/^#+/)[0].length}` }, inline(s.replace(/^#+\s+/, ''))))
      at++
    } else if (kind === 'rule') {
      out.push(el('hr'))
      at++
    } else if (kind === 'item') {
      out.push(el('ul', { dir: 'auto' }, take('item').map(item)))
    } else if (kind === 'quote') {
      out.push(el('blockquote', { dir: 'auto' },
        take('quote').flatMap((q, i) => [i ? el('br') : null, inline(q.replace(/^\s*>\s?/, ''))])))
    } else if (kind === 'table') {
      out.push(pre(take('table').join('\n'), { class: 'code' }))
    } else if (kind === 'words') {
      out.push(el('p', { dir: 'auto' }, take('words').flatMap((q, i) => [i ? el('br') : null, inline(q)])))
    } else at++
  }
  return out
}
