import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { test } from 'node:test'
import type { Page } from 'playwright-core'
import { oneJob } from '../runtime/engine.fixture.ts'
import { createInstanceServer } from '../runtime/web/server.ts'
import { instanceId, startWeb } from '../runtime/web/web.fixture.ts'
import { closeServer, openServer } from '../src/http/listener/server.ts'
import { eventually } from '../src/testing/eventually.ts'
import { noBrowser, openBrowser } from './browser.fixture.ts'

/** Half a second of a film that the browser itself records, and a second of silence. */
async function film(page: Page): Promise<Buffer> {
  const bytes = await page.evaluate<number[]>(`(async () => {
    const canvas = Object.assign(document.createElement('canvas'), { width: 64, height: 64 })
    const context = canvas.getContext('2d')
    const recorder = new MediaRecorder(canvas.captureStream(10), { mimeType: 'video/webm;codecs=vp8' })
    const chunks = []
    recorder.ondataavailable = event => chunks.push(event.data)
    const stopped = new Promise(done => recorder.addEventListener('stop', done))
    recorder.start()
    for (let i = 0; i < 6; i++) {
      context.fillStyle = i % 2 ? 'red' : 'blue'
      context.fillRect(0, 0, 64, 64)
      await new Promise(done => setTimeout(done, 80))
    }
    recorder.stop()
    await stopped
    return [...new Uint8Array(await new Blob(chunks).arrayBuffer())]
  })()`)
  return Buffer.from(bytes)
}

function silence(): Buffer {
  const wav = Buffer.alloc(44 + 8000)
  wav.write('RIFF')
  wav.writeUInt32LE(36 + 8000, 4)
  wav.write('WAVEfmt ', 8)
  for (const [at, value] of [
    [16, 16],
    [24, 8000],
    [28, 8000],
    [40, 8000],
  ] as const)
    wav.writeUInt32LE(value, at)
  for (const [at, value] of [
    [20, 1],
    [22, 1],
    [32, 1],
    [34, 8],
  ] as const)
    wav.writeUInt16LE(value, at)
  wav.write('data', 36)
  return wav
}

test('sound and video that a job wrote play in the browser', {
  skip: noBrowser,
  timeout: 300_000,
}, async t => {
  const { app, instance, signIn } = await startWeb(t, { files: { 'manifest.ts': oneJob('() => 1') } })
  const server = createInstanceServer(app, instanceId)
  const port = await openServer(server, { host: '127.0.0.1', port: 0 })
  t.after(() => closeServer(server))
  const { page, context } = await openBrowser(t, { javaScript: true })
  mkdirSync(instance.path('data'), { recursive: true })
  writeFileSync(instance.path('data/film.webm'), await film(page))
  writeFileSync(instance.path('data/sound.wav'), silence())
  const [name = '', value = ''] = (await signIn()).split('=')
  await context.addCookies([{ name, value, url: `http://127.0.0.1:${port}` }])
  for (const file of ['film.webm', 'sound.wav']) {
    await page.goto(`http://127.0.0.1:${port}/api/jobs/repo/files/data/${file}?raw`)
    await eventually(`${file} can be played`, async () => {
      return (await page.evaluate("document.querySelector('video,audio')?.readyState")) === 4
    })
  }
  assert.equal(await page.evaluate("document.querySelectorAll('script').length"), 0)
})
