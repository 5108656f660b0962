// browse_share.mjs NPM: a real browser opens what is shared and says what is wrong with it.
// The environment: LINKS lines of "LINK NAME", the first an ordinary session, the others hostile ones; ENDED a
// link that has ended; OTHER the address of a server that is not ours; SHOTS a folder for pictures (none: no
// pictures); CHROMIUM the browser.

import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'

const npm = process.argv[2]
const { chromium } = createRequire(join(npm, 'x.js'))('playwright-core')
const axe = readFileSync(join(npm, 'node_modules/axe-core/axe.min.js'), 'utf8')
const { LINKS, ENDED: ended, OTHER: other, SHOTS: shots, OBJECTS: objects } = process.env
const links = LINKS.trim().split('\n').map(l => l.split(' '))
const limit = Number(process.env.LIMIT_S ?? 60) * 1000
const origin = new URL(links[0][0]).origin
let place = '', faults = 0, n = 0
const fault = text => { faults++; console.log(`# ${place}: ${text}`) }

const browser = await chromium.launch({ executablePath: process.env.CHROMIUM, args: ['--no-sandbox', '--disable-dev-shm-usage'] })
const context = await browser.newContext({ viewport: { width: 1280, height: 860 }, ignoreHTTPSErrors: true })
context.setDefaultTimeout(limit)

async function watched(mayFail) {
  const p = await context.newPage()
  p.on('console', m => { if (m.type() === 'error' && !mayFail) fault(`console: ${m.text()}`) })
  p.on('pageerror', e => fault(`error: ${e.message}`))
  p.on('dialog', d => { fault(`dialog: ${d.message()}`); d.dismiss() })
  p.on('popup', () => fault('a window opened'))
  p.on('download', () => fault('a download began'))
  p.on('request', r => {
    if (!mayFail && !r.url().startsWith(origin + '/') && !r.url().startsWith(objects + '/')) fault(`asks ${r.url()}`)
    for (const h of ['referer', 'cookie']) if (!mayFail && r.headers()[h]) fault(`says ${h} ${r.headers()[h]} to ${r.url()}`)
  })
  return p
}

async function open(p, link) {
  await p.goto('about:blank')
  await p.goto(link)
  await p.waitForSelector('html[data-ready]')
}

const said = p => p.textContent('#about')

async function view(p, name) {
  for (const [scheme, width] of [['light', 1280], ['dark', 420]]) {
    await p.emulateMedia({ colorScheme: scheme })
    await p.setViewportSize({ width, height: 860 })
    await p.waitForTimeout(300) // a transition of colours, which axe would measure in between
    if (shots) await p.screenshot({ path: join(shots, `share-${String(++n).padStart(2, '0')}-${name}-${scheme}.png`) })
    await p.evaluate(axe)
    const { violations } = await p.evaluate(() => axe.run(document, { resultTypes: ['violations'] }))
    for (const v of violations) fault(`axe on ${name}: ${v.id}: ${v.help}: ${v.nodes[0].target} ${v.nodes[0].failureSummary}`)
    const wide = await p.evaluate(() => document.documentElement.scrollWidth - innerWidth)
    if (wide > 0) fault(`${name} is ${wide} pixels too wide at ${width}`)
  }
  await p.emulateMedia({ colorScheme: 'light' })
  await p.setViewportSize({ width: 1280, height: 860 })
}

const inspect = p => p.evaluate(() => {
  const bad = []
  if (window.pwned !== undefined) bad.push('something ran')
  if ({}.polluted !== undefined) bad.push('a prototype was changed')
  if (document.title !== 'A shared session') bad.push('the title was taken')
  for (const e of document.querySelectorAll('main *')) {
    if (!/^(ARTICLE|B|BLOCKQUOTE|BR|CODE|DIV|H1|HEADER|HR|LI|NOSCRIPT|P|PRE|SPAN|STRONG|TIME|UL)$/.test(e.tagName))
      bad.push(`<${e.tagName.toLowerCase()}> in the page`)
    for (const a of e.attributes) if (/^on|^(href|src|style)$/i.test(a.name)) bad.push(`${e.tagName} ${a.name}=${a.value}`)
  }
  const unseen = /[\u202a-\u202e\u2066-\u2069\u0000-\u0008\u001b\u00ad\u061c\u200b\u2028-\u202e\u2060\u{e0000}-\u{e0fff}]/u
  if (unseen.test(document.querySelector('main').textContent)) bad.push('a character that can not be seen')
  return [...new Set(bad)]
})

const page = await watched()
for (const [link, name] of links) {
  place = name
  await open(page, link)
  if (page.url() !== link.split('#')[0]) fault(`the key stays in the address: ${page.url().length} characters`)
  if (!/^Opened here/.test(await said(page))) fault(`it says: ${await said(page)}`)
  if (await page.locator('.turn').count() === 0) fault('there is no turn')
  for (const b of await inspect(page)) fault(b)
  if (link === links[0][0]) {
    const text = await page.textContent('#turns')
    if (!text.includes('Quittenparser') || text.includes('You,')) fault(`it shows: ${text.slice(0, 200)}`)
    await view(page, 'session')
    if (await page.evaluate(() => Object.keys(localStorage).length + Object.keys(sessionStorage).length + document.cookie.length) > 0)
      fault('something is kept in the browser')
  }
}

place = 'links that open nothing'
const [link] = links[0], flipped = link.slice(0, -4) + (link.at(-4) === 'A' ? 'B' : 'A') + link.slice(-3)
const lost = await watched(true)
for (const [url, sentence, name] of [[ended, /has ended/, 'ended'], [flipped, /does not fit/, 'flipped'],
  [link.split('#')[0], /not whole/, 'keyless'], [link.slice(0, -1), /not whole/, 'cut']]) {
  await open(lost, url)
  if (!sentence.test(await said(lost))) fault(`${name}: ${await said(lost)}`)
  if (await lost.locator('.turn').count() > 0) fault(`${name}: there are turns`)
}
await view(lost, 'ended')

// Another page has the whole link and tries.
place = 'a page of another origin'
const attacker = await watched(true)
const address = await page.evaluate(async path => (await (await fetch(path, { method: 'POST', headers: { 'X-Share': '1' } })).json()).url,
  new URL(link).pathname)
await attacker.goto(other)
for (const [what, url, options] of [['asks where it lies', link.split('#')[0], { method: 'POST', headers: { 'X-Share': '1' } }],
  ['asks without the header', link.split('#')[0], { method: 'POST' }], ['reads the page', link.split('#')[0], {}], ['reads the object', address, {}]]) {
  const got = await attacker.evaluate(async ([u, o]) => { try { return (await (await fetch(u, o)).text()).length } catch { return null } }, [url, options])
  if (got !== null) fault(`${what}: it gets ${got} characters`)
}
const framed = await attacker.evaluate(u => new Promise(go => {
  const f = document.createElement('iframe')
  f.onload = () => { try { go(f.contentWindow.length >= 0 && f.contentDocument === null ? 'closed' : 'open') } catch { go('closed') } }
  f.src = u
  document.body.append(f)
}), link)
if (framed !== 'closed') fault('it can look into a frame')
for (const f of attacker.frames()) if (f !== attacker.mainFrame() && (await f.locator('.turn').count().catch(() => 0)) > 0) fault('a frame shows it')

await browser.close()
console.log(faults === 0 ? 'done' : `${faults} faults`)
process.exit(faults === 0 ? 0 : 1)
