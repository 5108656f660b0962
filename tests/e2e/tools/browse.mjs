// browse.mjs NPM SCENE...: a real browser looks at ctctl web and says what is wrong with it.
// The environment, beside browser.mjs's: WEB_LINK the file that leads there, SESSIONS lines of "ID NAME",
// OTHER the address of a server that is not ours.

import { spawnSync } from 'node:child_process'

import { accessible, at, browser, fault, goto, inspect, limit, newContext, picture, play, view, watched } from './browser.mjs'

const scenes = process.argv.slice(3)
const { WEB_LINK: link, SESSIONS: list = '', OTHER: other } = process.env
const sessions = list.trim().split('\n').filter(Boolean).map(l => l.split(' '))
const context = await newContext({ permissions: ['clipboard-write'] })
const page = await watched(context)

async function enter() {
  await page.goto(`file://${link}`)
  await page.waitForURL(/^http:/)
  await page.waitForSelector('#main .sum')
  at.origin = new URL(page.url()).origin
  if (page.url() !== `${at.origin}/`) fault(`the secret stays in the address: ${page.url().length} characters`)
  await page.waitForFunction(() => !document.querySelector('.sum').textContent.includes('Looking'))
}

const scene = {
  // Every hostile session is opened, unfolded, and nothing comes of it.
  async hostile() {
    for (const [id, name] of sessions) {
      at.place = `hostile ${name}`
      await goto(page, `#/s/${id}`)
      await page.waitForSelector('.turn', { state: 'attached' })
      await page.keyboard.press('o')
      const deadline = Date.now() + limit
      await page.waitForFunction(() => [...document.querySelectorAll('details[data-fold]')].every(d => d.dataset.fold === 'note' || d.open))
      await page.evaluate(() => { for (const d of document.querySelectorAll('.note details')) d.open = true })
      for (const b of (await page.$$('button.rest')).slice(0, 3)) if (Date.now() < deadline) await b.evaluate(e => e.click())
      await page.waitForTimeout(150)
      if (at.asked > 300) fault(`${at.asked} questions for one session`)
      at.asked = 0
      for (const bad of await inspect(page)) fault(bad)
    }
    at.place = 'hostile list'
    await goto(page, '#/%')
    await page.waitForSelector('.choices')
    await goto(page, '#/')
    await page.waitForSelector('a.row')
    for (const bad of await inspect(page)) fault(bad)
    await page.fill('#words', '<img'); await page.keyboard.press('Enter')
    await page.waitForSelector('.hit')
    for (const bad of await inspect(page)) fault(bad)
    await page.fill('#words', '')
  },

  // The ten views: nothing that axe finds, light, dark and narrow; by keyboard alone.
  async views() {
    const [id] = sessions[0]
    at.place = 'views'
    await goto(page, '#/')
    await page.waitForSelector('a.row')
    await view(page, 'list')
    await page.keyboard.press('/')
    await page.keyboard.type('zzzz-none')
    await page.waitForSelector('.empty')
    await view(page, 'nothing')
    await page.keyboard.press('Escape')
    await page.keyboard.press('?')
    await page.waitForSelector('dialog[open]')
    await view(page, 'keys')
    await page.keyboard.press('Escape')
    await page.keyboard.press('/')
    await page.keyboard.type('Parser')
    await page.keyboard.press('Enter')
    await page.waitForSelector('.hit')
    await view(page, 'found')
    await page.keyboard.press('u')
    await page.waitForSelector('.choices')
    await page.keyboard.press('j')
    await page.keyboard.press('Enter')
    await page.waitForSelector('.turn')
    await goto(page, `#/s/${id}`)
    await page.waitForSelector('.turn')
    await view(page, 'session')
    await page.keyboard.press('o')
    await page.waitForFunction(() => document.querySelector('details.call')?.open ?? true)
    await view(page, 'session-open')
    await page.click('aside summary >> text=What to type')
    await page.click('aside summary >> text=Versions')
    await page.waitForFunction(() => !document.querySelector('aside').textContent.includes('Asking'))
    await view(page, 'session-side')
    if (await page.$('aside .failed')) fault(await page.textContent('aside .failed'))
    await page.click('aside a >> text=Read')
    await page.waitForSelector('.place')
    await page.waitForSelector('.turn')
    await view(page, 'version')
    await goto(page, `#/s/${id}/d1`)
    await page.waitForSelector('.only, .empty')
    await view(page, 'compared')
    await goto(page, '#/s/be457695-37fc-41a9-a90d-363a62823032')
    await page.click('aside summary >> text=subagents')
    await page.click('aside a >> text=agent-')
    await page.waitForSelector('.place')
    await page.waitForSelector('.turn')
    await view(page, 'subagent')
    await goto(page, '#/')
    await page.waitForSelector('.choices')
  },

  // Nobody is here yet.
  async empty() {
    at.place = 'empty'
    await goto(page, '#/')
    await page.waitForSelector('.empty, .failed')
    await view(page, 'empty')
  },

  // A second tab of this page gets the token from the first; a browser that was not led here gets none.
  async tabs() {
    at.place = 'tabs'
    const second = await watched(context)
    await second.goto(at.origin + '/')
    await second.waitForSelector('.choices')
    await second.close()
    const stranger = await browser.newContext(), p = await watched(stranger)
    p.mayFail = true
    await p.goto(at.origin + '/')
    await p.waitForSelector('.end')
    if (await p.$('a.row')) fault('a stranger sees sessions')
    await view(p, 'stranger')
    await stranger.close()
  },

  // A page of another port on this machine tries all that a page can, in the browser that has the token.
  async attack() {
    at.place = 'attack'
    const p = await context.newPage()
    await p.goto(other)
    const got = await p.evaluate(async at => {
      const got = []
      const tries = async (name, f) => { try { const r = await f(); if (r) got.push(`${name}: ${r}`) } catch { /* as it should be */ } }
      const headers = { 'X-Codeteleport-Token': '0'.repeat(64) }
      await tries('fetch', async () => (await fetch(at + '/api/here')).status)
      await tries('fetch with a header', async () => (await fetch(at + '/api/here', { headers })).status)
      await tries('fetch of a page', async () => (await fetch(at + '/app.js')).text())
      await tries('opaque', async () => (await (await fetch(at + '/api/here', { mode: 'no-cors' })).text()) || null)
      await tries('POST', async () => (await fetch(at + '/api/enter', { method: 'POST', body: 'x' })).status)
      const loads = (name, attributes) => tries(name, () => new Promise((done, fail) => {
        const e = Object.assign(document.createElement(name), attributes)
        e.onload = () => done('loaded')
        e.onerror = fail
        setTimeout(fail, 3000)
        document.body.append(e)
      }))
      await loads('script', { src: at + '/app.js', type: 'module' })
      await loads('script', { src: at + '/app.js' })
      await loads('link', { rel: 'stylesheet', href: at + '/style.css' })
      await loads('img', { src: at + '/icon.svg' })
      await tries('frame', () => new Promise(done => {
        const e = document.createElement('iframe')
        e.src = at + '/'
        e.onload = () => { try { done(e.contentDocument?.body?.textContent) } catch { done(null) } }
        setTimeout(() => done(null), 3000)
        document.body.append(e)
      }))
      await tries('storage', () => sessionStorage.getItem('token'))
      await tries('channel', () => new Promise(done => {
        const c = new BroadcastChannel('codeteleport')
        c.onmessage = m => done(JSON.stringify(m.data))
        c.postMessage('ask')
        setTimeout(() => done(null), 1000)
      }))
      await tries('window', () => new Promise(done => {
        const w = open(at + '/')
        setTimeout(() => { let r = null; try { r = w?.document?.body?.textContent } catch { r = null } done(r) }, 1500)
      }))
      return got
    }, at.origin)
    for (const g of got) fault(`another port got ${g.slice(0, 200)}`)
    for (const f of p.frames()) if (f !== p.mainFrame() && (await f.$('a.row').catch(() => null))) fault('shown in a frame')
    for (const w of context.pages()) if (w !== page) await w.close()
  },

  // A long session is there at once, and scrolls to its end and back.
  async long() {
    at.place = 'long'
    const [id] = sessions[0], begun = Date.now()
    await goto(page, `#/s/${id}`)
    await page.waitForSelector('.turn')
    console.log(`# open after ${Date.now() - begun} ms`)
    for (const where of ['End', 'Home', 'End']) {
      const t = Date.now()
      await page.evaluate(w => scrollTo(0, w === 'End' ? document.documentElement.scrollHeight : 0), where)
      await page.waitForFunction(() => {
        const e = document.elementFromPoint(400, innerHeight / 2)?.closest('section[data-piece]')
        return e && !e.hasAttribute('aria-busy')
      })
      if (where === 'End') await page.evaluate(() => scrollTo(0, document.documentElement.scrollHeight))
      console.log(`# ${where} after ${Date.now() - t} ms`)
    }
    await page.waitForFunction(() => document.querySelector('.turns').textContent.includes('the very last words'), null, { polling: 200 })
    for (let i = 1; i < 20; i++) {
      await page.evaluate(f => scrollTo(0, document.documentElement.scrollHeight * f), i / 20)
      await page.waitForFunction(() => !document.elementFromPoint(400, innerHeight / 2)?.closest('section[aria-busy]'))
    }
    const held = await page.evaluate(() => document.querySelectorAll('.turn').length)
    const pieces = await page.evaluate(() => document.querySelectorAll('section[data-piece]:not([aria-busy])').length)
    console.log(`# ${held} turns of ${pieces} pieces are held`)
    if (pieces > 30) fault(`${pieces} pieces are held`)
    await view(page, 'long')
  },

  // A thousand sessions: how long until there are rows, and all of them.
  async thousand() {
    at.place = 'thousand'
    const t = Date.now()
    await page.reload()
    await page.waitForSelector('a.row')
    console.log(`# rows after ${Date.now() - t} ms`)
    await page.waitForFunction(() => document.querySelectorAll('a.row').length >= 1000)
    console.log(`# all after ${Date.now() - t} ms`)
    await accessible(page, 'a thousand')
    await picture(page, 'thousand')
  },

  // What a button says, and what came of it.
  async buttons() {
    at.place = 'buttons'
    const [id] = sessions[0]
    await goto(page, `#/s/${id}`)
    await page.click('button >> text=Sync now')
    await page.waitForFunction(() => /saved/.test(document.getElementById('said').textContent))
    await page.click('button >> text=Pull to this machine')
    await page.waitForFunction(() => /here|newer|same|already/i.test(document.getElementById('said').textContent))
  },

  // The program ends: the page says so.
  async ended() {
    at.place = 'ended'
    page.mayFail = true
    spawnSync('kill', [process.env.WEB_PID])
    await page.waitForFunction(async () => { try { await fetch('/'); return false } catch { return true } }, null, { polling: 100 })
    await page.evaluate(() => document.activeElement.blur())
    await page.keyboard.press('r')
    await page.waitForSelector('.end')
    await view(page, 'ended')
  },
}

await enter()
await play(scene, scenes)
